"""An emulator's own virtual environments, each installed once from a file of hashed pins."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from infra.interpreters import UV
from infra.local.shutdown import Shutdown, StartError, say

ROOT = Path(__file__).parents[2]
POLL_SECONDS = 0.1


def environment(folder: Path, requirements: Path, base: Callable[[], str], shutdown: Shutdown) -> Path:
    """Return the interpreter of a virtual environment; install it if it is missing or its pins have changed.

    folder: Its folder.
    requirements: Hashed pins.
    base: Returns the Python to create it with.

    A shutdown request stops the installation. Raises StartError if it is stopped or fails, and what `base`
    raises.
    """
    python = folder / "bin" / "python"
    stamp = folder / "installed"
    wanted = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    with _alone(folder, shutdown):
        if not (python.exists() and stamp.exists() and stamp.read_text() == wanted):
            chosen = base()
            say(f"Installing {requirements.relative_to(ROOT)} into {folder} (once, up to a minute)")
            install = [*UV, "pip", "install", "--python", str(python), "--require-hashes"]
            _run([*UV, "venv", "--clear", "--python", chosen, str(folder)], shutdown)
            _run([*install, "-r", str(requirements)], shutdown)
            stamp.write_text(wanted)
    return python


@contextlib.contextmanager
def _alone(folder: Path, shutdown: Shutdown) -> Iterator[None]:
    """Lock a folder against other processes that install it at the same time."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("ab") as lock:
        while not _locked(lock):
            if shutdown.requested:
                raise StartError(f"stopped while another process installs {folder}")
            time.sleep(POLL_SECONDS)
        yield


def _locked(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
    raise StartError("stopped before everything was installed")
