"""The two virtual environments: LocalStack's, on Python 3.13, and the functions', on the packaging Python."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, NamedTuple

from infra.local.shutdown import Shutdown, StartError, say

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FOLDER = Path(os.environ.get("PARLEY_LOCALSTACK_FOLDER") or ROOT / ".localstack")
VERSION = "3.13"
POLL_SECONDS = 0.1
UV = [sys.executable, "-m", "uv", "--quiet", "--no-config"]


class Environments(NamedTuple):
    """The interpreters: server has LocalStack, functions has what Lambda's own runtime has."""

    server: Path
    functions: Path


def installed(shutdown: Shutdown) -> Environments:
    """Return the interpreters, installed at first; a request to shut down breaks that off.

    Raises StartError when there is no Python 3.13, or an installation fails.
    """
    return Environments(
        _made(FOLDER / "server", HERE / "requirements.txt", python313, shutdown),
        # Functions run on the Python that they are packaged with.
        _made(FOLDER / "functions", HERE / "functions.txt", lambda: sys.executable, shutdown),
    )


def _made(folder: Path, requirements: Path, base: Callable[[], str], shutdown: Shutdown) -> Path:
    python = folder / "bin" / "python"
    mark = folder / "installed"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    with _alone(folder, shutdown):
        if not (python.exists() and mark.exists() and mark.read_text() == wanted):
            chosen = base()
            say(f"Installing {requirements.relative_to(ROOT)} into {folder} (once, about a minute)")
            install = [*UV, "pip", "install", "--python", str(python), "--require-hashes"]
            _run([*UV, "venv", "--clear", "--python", chosen, str(folder)], shutdown)
            _run([*install, "-r", str(requirements)], shutdown)
            mark.write_text(wanted)
    return python


@contextlib.contextmanager
def _alone(folder: Path, shutdown: Shutdown) -> Iterator[None]:
    """Hold a folder against other processes that would make it at the same time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("ab") as lock:
        while not _locked(lock):
            if shutdown.requested:
                raise StartError("stopped while another process installs LocalStack")
            time.sleep(POLL_SECONDS)
        yield


def _locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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


def _run(command: list[str], shutdown: Shutdown) -> None:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not shutdown.requested:
        try:
            _, errors = process.communicate(timeout=POLL_SECONDS)
        except subprocess.TimeoutExpired:
            continue
        if process.returncode:
            raise StartError(f"`{' '.join(command[1:])}` failed: {' '.join(errors.split())}")
        return
    process.kill()
    process.communicate()
    raise StartError("stopped before LocalStack was installed")
