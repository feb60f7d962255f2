"""Requests that arrive many at once, beside those of another connection."""

from __future__ import annotations

import asyncio
import socket
import time

import uvloop

from infra.local.addresses import Addresses, AddressLimit
from infra.local.http.connection import TURN_SECONDS, Connection, Host
from infra.local.http.reader import Received
from infra.local.http.writing import Answer
from tests.local.raw_http import TIMEOUT_SECONDS

PIPELINED = 20
OTHER = "/other"


def asked(path: str) -> bytes:
    """Return a request for a path."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


class Server:
    """Answers each request at once, after a part of a turn; at the first one, another client asks too.

    paths: Of the requests, in the order of their answers.
    """

    def __init__(self) -> None:
        self.paths: list[str] = []
        self.other: socket.socket | None = None
        self.all_answered = asyncio.Event()
        addresses = Addresses(AddressLimit())
        host = Host(self._serve, lambda _: None, self._refusal, set(), set(), addresses, lambda: PIPELINED)
        self.protocol = lambda: Connection(host)

    def _serve(self, connection: Connection, received: Received) -> None:
        if not self.paths and self.other is not None:
            self.other.sendall(asked(OTHER))
        time.sleep(TURN_SECONDS / 2)
        self.paths.append(received.head.request.path)
        connection.answer(received.head, Answer(200, [], b""))
        if len(self.paths) > PIPELINED:
            self.all_answered.set()

    @staticmethod
    def _refusal(error: Exception, _: object) -> Answer:
        raise error


async def answered_paths() -> list[str]:
    """Return the paths that are asked for, in the order of their answers."""
    server = Server()
    listening = await asyncio.get_running_loop().create_server(server.protocol, "127.0.0.1", 0)
    address = listening.sockets[0].getsockname()
    with socket.create_connection(address) as hasty, socket.create_connection(address) as other:
        server.other = other
        await asyncio.sleep(TURN_SECONDS)  # both are accepted
        hasty.sendall(b"".join(asked(f"/{number}") for number in range(PIPELINED)))
        await asyncio.wait_for(server.all_answered.wait(), TIMEOUT_SECONDS)
    listening.close()
    return server.paths


def test_a_long_pipeline_holds_nobody_up() -> None:
    """Requests that arrive at once take turns with those of another connection, and stay in order."""
    loop = uvloop.new_event_loop()
    paths = loop.run_until_complete(answered_paths())
    loop.close()
    assert paths.index(OTHER) <= PIPELINED // 2
    assert [path for path in paths if path != OTHER] == [f"/{number}" for number in range(PIPELINED)]
