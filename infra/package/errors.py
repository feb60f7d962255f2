"""The package's one error, and running the tools that build a package."""

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
    """The package cannot be built; the message says why and what to do."""


def run(what: str, command: list[str], cwd: Path, environ: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return its standard output.

    what: The command's name in an error.
    environ: Variables in addition to those of `surroundings`.
    Raises PackageError, on one line with the command's own reason, if it fails or cannot be started.
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
        raise PackageError(f"{what} failed: {reason or f'it exited with status {done.returncode}'}")
    return done.stdout


def _reason(output: str) -> str:
    """Return a command's output on one line; of a traceback, only its last line."""
    _, traceback, after = output.rpartition(TRACEBACK)
    lines = after.splitlines()
    words = dropwhile(lambda line: not line or line.startswith(" "), lines) if traceback else lines
    return " ".join(" ".join(words).split())


def surroundings() -> dict[str, str]:
    """Return this process's variables without those that could change the package.

    The caller's settings must not get into the template, nor Python's options into the bytecode.
    """
    changing = ("AWS_", "PARLEY_", "REDIS_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(changing)}
