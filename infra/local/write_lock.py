"""The lock under which processes write lines to the descriptor that they share."""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Iterator
from pathlib import Path

FOLDER_VARIABLE = "PARLEY_LOCAL_SOCKETS"  # as in sockets/shared.py, which takes longer to import


class WriteLock:
    """Lets one process at a time write to a shared descriptor: writes over PIPE_BUF bytes would mix."""

    def __init__(self, descriptor: int) -> None:
        about = os.fstat(descriptor)
        self._name = f"lines-{about.st_dev:x}-{about.st_ino:x}"
        self._needed = not stat.S_ISREG(about.st_mode)
        self._lock: int | None = None

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the lock; without a folder or a free descriptor for it, go on without."""
        with contextlib.suppress(OSError):
            self._open()
        if self._lock is None:
            yield
            return
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self._lock, fcntl.LOCK_UN)

    def _open(self) -> None:
        if self._lock is None and self._needed and (folder := os.environ.get(FOLDER_VARIABLE)):
            self._lock = os.open(Path(folder, self._name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
