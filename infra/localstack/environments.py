"""The two virtual environments: LocalStack's, on Python 3.13, and the functions', on the packaging Python."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NamedTuple

from infra.emulator.environments import ROOT, environment
from infra.interpreters import find_python
from infra.local.shutdown import Shutdown, StartError

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("PARLEY_LOCALSTACK_FOLDER") or ROOT / ".localstack")
VERSION = "3.13"


class Environments(NamedTuple):
    """The interpreters: `server` has LocalStack, `functions` has the packages of Lambda's runtime."""

    server: Path
    functions: Path


def installed(shutdown: Shutdown) -> Environments:
    """Return the interpreters, and install them at first use; a shutdown request stops the installation.

    Raises StartError if there is no Python 3.13, or an installation fails.
    """
    return Environments(
        environment(FOLDER / "server", HERE / "requirements.txt", python313, shutdown),
        # Functions run on the Python that packages them.
        environment(FOLDER / "functions", HERE / "functions.txt", lambda: sys.executable, shutdown),
    )


def python313() -> str:
    """Return a Python 3.13: PYTHON313, or the first one found. Raises StartError if there is none."""
    if found := find_python(VERSION, os.environ.get("PYTHON313", "").strip()):
        return found
    raise StartError(
        f"LocalStack 4.14.0 runs on Python {VERSION}, which was not found. Install it, for example with"
        f" `uv python install {VERSION}`, or name it: make localstack PYTHON313=/path/to/python{VERSION}"
    )
