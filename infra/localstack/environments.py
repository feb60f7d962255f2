"""The two virtual environments: LocalStack's, on Python 3.13, and the functions', on the packaging Python."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from infra.emulator.environments import ROOT, UV, environment
from infra.local.shutdown import Shutdown, StartError

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("PARLEY_LOCALSTACK_FOLDER") or ROOT / ".localstack")
VERSION = "3.13"


class Environments(NamedTuple):
    """The interpreters: server has LocalStack, functions has what Lambda's own runtime has."""

    server: Path
    functions: Path


def installed(shutdown: Shutdown) -> Environments:
    """Return the interpreters, installed at first; a request to shut down breaks that off.

    Raises StartError when there is no Python 3.13, or an installation fails.
    """
    return Environments(
        environment(FOLDER / "server", HERE / "requirements.txt", python313, shutdown),
        # Functions run on the Python that they are packaged with.
        environment(FOLDER / "functions", HERE / "functions.txt", lambda: sys.executable, shutdown),
    )


def python313() -> str:
    """Return a Python 3.13: PYTHON313, or the first found. Raises StartError when there is none."""
    for candidate in _candidates():
        if _is_313(candidate):
            return candidate
    raise StartError(
        f"LocalStack 4.14.0 runs on Python {VERSION}, and none was found. Install it, for instance with"
        f" `uv python install {VERSION}`, or name it: make localstack PYTHON313=/path/to/python{VERSION}"
    )


def _candidates() -> Iterator[str]:
    if named := os.environ.get("PYTHON313", "").strip():
        yield named
        return
    found = subprocess.run([*UV, "python", "find", VERSION], capture_output=True, text=True, check=False)
    yield found.stdout.strip()
    # pyenv has its versions side by side, and a stub on PATH that fails for those not chosen.
    for versions in (Path(sys.base_prefix).parent, Path.home() / ".pyenv" / "versions"):
        yield from map(str, sorted(versions.glob(f"{VERSION}*/bin/python{VERSION}"), reverse=True))


def _is_313(candidate: str) -> bool:
    try:
        done = subprocess.run([candidate, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return False
    return done.stdout.startswith(f"Python {VERSION}.")
