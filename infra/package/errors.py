"""The package's one error, and the running of the tools that it is built with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from itertools import dropwhile
from pathlib import Path

TRACEBACK = "Traceback (most recent call last):"
PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


class PackageError(Exception):
    """The package cannot be built; the text says why and what to do."""


def run(what: str, command: list[str], cwd: Path, environ: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return what it wrote to standard output.

    what: the command's name in an error.
    environ: variables beside those of `surroundings`.
    Raises PackageError, on one line with the command's own reason, when it fails or cannot be started.
    """
    try:
        done = subprocess.run(
            command,
            cwd=cwd,
            env={**surroundings(), **(environ or {})},
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise PackageError(f"{what} cannot be started: {error}") from None
    if done.returncode:
        reason = _reason(f"{done.stdout}\n{done.stderr}").replace(f"{cwd}{os.sep}", "")
        raise PackageError(f"{what} failed: {reason or f'it ended with status {done.returncode}'}")
    return done.stdout


def _reason(output: str) -> str:
    """Put what a command wrote on one line; of a traceback, only the error that it ends with."""
    _, traceback, after = output.rpartition(TRACEBACK)
    lines = after.splitlines()
    words = dropwhile(lambda line: not line or line.startswith(" "), lines) if traceback else lines
    return " ".join(" ".join(words).split())


def surroundings() -> dict[str, str]:
    """Return this process's variables without those that could change the package.

    Settings of the caller must not end up in the template, nor Python's switches in the bytecode.
    """
    changing = ("AWS_", "PARLEY_", "REDIS_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(changing)}
