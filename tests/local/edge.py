"""The edge alone: a worker over a gateway of these tests, and the server that runs it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.local.pool import MODULE as POOL
from tests.local.raw_http import Answer, Peer
from tests.servers.ports import ReservedPort
from tests.servers.process import ROOT

START_SECONDS = 120.0


class EchoServer:
    """A server of one worker.

    folder: for its output. factory: maker of its gateway; `tests.local.echo` if left out.
    """

    def __init__(self, folder: Path, factory: str = "tests.local.echo:gateway") -> None:
        self._reserved = ReservedPort()
        self.port = self._reserved.number
        self._log = folder / "echo.log"
        command = [sys.executable, "-m", POOL, factory, str(self.port), "1"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def peer(self) -> Peer:
        """Return a new connection."""
        return Peer(self.port)

    def output(self) -> str:
        """Return all that the server wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def get(self, path: str, *headers: str) -> Answer:
        """Return the answer to a GET on a connection of its own."""
        with self.peer() as peer:
            peer.send(f"GET {path} HTTP/1.1", "Host: localhost", *headers)
            return peer.answer()

    def stop(self) -> int:
        """Stop the server by SIGTERM, and return its exit status."""
        self.process.terminate()
        status = self.process.wait(START_SECONDS)
        self._reserved.release()
        return status

    def wait_until_ready(self) -> None:
        """Return when the server answers."""
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                assert self.get("/my/path").status == 200
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the echo server did not start:\n{self.output()}")


@contextlib.contextmanager
def running_echo(folder: Path, factory: str = "tests.local.echo:gateway") -> Iterator[EchoServer]:
    """Run a server; see EchoServer."""
    server = EchoServer(folder, factory)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()
