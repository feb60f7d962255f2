"""The package's one error, and the running of the tools that it is built with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


class PackageError(Exception):
    """The package cannot be built; the text says why and what to do."""


def run(what: str, command: list[str], cwd: Path, environ: Mapping[str, str] | None = None) -> str:
    """Run a command to its end and return what it wrote to standard output.

    what: the command's name in an error.
    environ: variables beside those of `surroundings`.
    Raises PackageError with the command's own output when it fails, or cannot be started.
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
        raise PackageError(f"{what} failed:\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def surroundings() -> dict[str, str]:
    """Return this process's variables without those that could change the package.

    Settings of the caller must not end up in the template, nor Python's switches in the bytecode.
    """
    changing = ("AWS_", "PARLEY_", "REDIS_", "PYTHON")
    return {name: value for name, value in os.environ.items() if not name.startswith(changing)}
