"""The edge's WebSockets alone: the server's workers over a gateway of these tests."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
from websockets.sync.client import ClientConnection, connect

from infra.local.addresses import AddressLimit
from infra.local.sockets.shared import SETTINGS_VARIABLE, VARIABLE, Limits, Meeting, SocketSettings
from tests.local.connection_echo import ENDS
from tests.local.pool import MODULE as POOL
from tests.local.raw_http import TIMEOUT_SECONDS, Answer, Peer
from tests.servers.ports import ReservedPort
from tests.servers.process import ROOT, environment
from tests.servers.waiting import eventually

START_SECONDS = 120.0
KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
UPGRADE = ("Upgrade: websocket", "Sec-WebSocket-Version: 13", KEY)
KEYS = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
}


class SocketServer:
    """A server of tests.local.connection_echo.

    folder: where its output goes, and where its workers meet. limits, addresses, shuffle: as SocketSettings
    has them.
    """

    def __init__(
        self,
        folder: Path,
        workers: int,
        limits: Limits,
        *,
        addresses: AddressLimit | None = None,
        shuffle: bool = False,
    ) -> None:
        self._reserved = ReservedPort()
        self.port = self._reserved.number
        self.url = f"ws://127.0.0.1:{self.port}"
        self._folder = folder
        self._log = folder / "echo.log"
        settings = SocketSettings(
            port=self.port,
            limits=limits,
            addresses=addresses or AddressLimit(),
            shuffle=shuffle,
        )
        self.meeting = Meeting(folder, settings)
        meeting = {VARIABLE: str(folder), SETTINGS_VARIABLE: msgspec.json.encode(settings).decode()}
        command = [sys.executable, "-m", POOL, "tests.local.connection_echo:gateway"]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*command, str(self.port), str(workers)],
                cwd=ROOT,
                env=environment({**meeting, **KEYS}),
                stdout=log,
                stderr=log,
            )
        self._workers = workers

    def open(self, path: str = "/", **options: Any) -> ClientConnection:
        """Return a new connection."""
        usual: dict[str, Any] = {"proxy": None, "compression": None, "max_size": None, "legacy": True}
        usual["open_timeout"] = START_SECONDS
        client: ClientConnection = connect(self.url + path, **usual | options)
        return client

    def open_in_each(self) -> list[ClientConnection]:
        """Return a connection in each worker; the kernel chooses the worker."""
        found: dict[str, ClientConnection] = {}
        while len(found) < self._workers:
            client = self.open()
            if found.setdefault(id_of(client)[:6], client) is not client:
                client.close()
        return list(found.values())

    def peer(self) -> Peer:
        """Return a new connection that has sent nothing."""
        return Peer(self.port)

    def ends(self) -> dict[str, dict[str, Any]]:
        """Return the events of `$disconnect` so far, by the connection's id."""
        with contextlib.suppress(FileNotFoundError):
            lines = (self._folder / ENDS).read_text().splitlines(keepends=True)
            whole = [
                json.loads(line) for line in lines if line.endswith("\n")
            ]  # the last may be half written
            return {event["requestContext"]["connectionId"]: event for event in whole}
        return {}

    def end_of(self, connection: str) -> dict[str, Any]:
        """Wait for the event of a connection's end, and return its context."""
        assert eventually(lambda: connection in self.ends())
        context: dict[str, Any] = self.ends()[connection]["requestContext"]
        return context

    def get(self, path: str, *headers: str) -> Answer:
        """Return the answer to a GET."""
        with self.peer() as peer:
            peer.send(f"GET {path} HTTP/1.1", "Host: localhost", *headers)
            return peer.answer()

    def upgrade(self, path: str, *headers: str, host: str = "localhost") -> Answer:
        """Return the answer to a GET for a host."""
        with self.peer() as peer:
            peer.send(f"GET {path} HTTP/1.1", f"Host: {host}", *headers)
            return peer.answer()

    def output(self) -> str:
        """Return all that the server wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> int:
        """Stop the server by SIGTERM, and return its exit status."""
        self.process.terminate()
        status = self.process.wait(START_SECONDS)
        self._reserved.release()
        return status

    def wait_until_ready(self) -> None:
        """Return when the server answers, by HTTP and on a WebSocket."""
        deadline = time.monotonic() + START_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                assert self.get("/worker").status == 200
                self.open().close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.output()}")


@contextlib.contextmanager
def running_sockets(
    folder: Path,
    workers: int = 1,
    limits: Limits | None = None,
    *,
    addresses: AddressLimit | None = None,
    shuffle: bool = False,
) -> Iterator[SocketServer]:
    """Run a server; see SocketServer."""
    server = SocketServer(folder, workers, limits or Limits(), addresses=addresses, shuffle=shuffle)
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.stop()
        assert "Traceback" not in server.output() or "a defect" in server.output(), server.output()


def ask(client: ClientConnection, **order: Any) -> Any:
    """Have the application do something, and return its answer."""
    client.send(json.dumps(order))
    return json.loads(client.recv(TIMEOUT_SECONDS))


def id_of(client: ClientConnection) -> str:
    """Return a connection's id."""
    return str(ask(client, do="tell")["event"]["requestContext"]["connectionId"])


def process_of(client: ClientConnection) -> int:
    """Return the id of a connection's process."""
    return int(ask(client, do="tell")["pid"])


def is_alive(process: int) -> bool:
    """Return whether a process exists."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
