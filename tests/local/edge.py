"""The edge alone: Granian over `tests.local.echo`, as a process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.local.raw import Peer, free_port
from tests.servers.process import ROOT

START_SECONDS = 30.0
ECHO = ["--interface", "rsgi", "--http", "1", "--loop", "uvloop", "--factory", "tests.local.echo:gateway"]


class EchoServer:
    """A server of one worker over `tests.local.echo`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._log = folder / "echo.log"
        command = [sys.executable, "-m", "granian", "--port", str(self.port), *ECHO]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)

    def peer(self) -> Peer:
        """Return a new connection."""
        return Peer(self.port)

    def output(self) -> str:
        """Return all that the server wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_until_ready(self) -> None:
        """Return when it answers."""
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                with self.peer() as peer:
                    peer.send("GET /my/path HTTP/1.1", "Host: localhost")
                    assert peer.answer().status == 200
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the echo server did not start:\n{self.output()}")
