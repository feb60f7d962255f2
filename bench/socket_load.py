"""WebSocket clients for measuring: many in one process, each with little overhead."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any
from urllib.parse import quote

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, ws_connect

OPENED_AT_ONCE = 50
PATIENCE_SECONDS = 60.0

READY = b'{"type":"ready"'
MESSAGE = b'{"type":"message"'


class Client(WSListener):
    """One connection of a user; on_message: Called with the bytes of each `message` frame."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.on_message: Callable[[bytes], None] | None = None
        self.waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: WSTransport
        self._refs = 0

    def on_ws_connected(self, transport: WSTransport) -> None:
        """Send hello, so that messages are pushed."""
        self.transport = transport
        self.send({"type": "hello"})

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        """Take a frame; most are messages."""
        if frame.msg_type is not WSMsgType.TEXT:
            return
        raw = frame.get_payload_as_bytes()
        if raw.startswith(MESSAGE):
            if self.on_message is not None:
                self.on_message(raw)
            return
        if raw.startswith(READY):
            self.ready.set_result(None)
            return
        decoded = json.loads(raw)
        future = self.waiting.pop(decoded.get("ref") or "", None)
        if future is not None and not future.done():
            future.set_result(decoded)

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        """Make waiting calls fail."""
        futures: list[asyncio.Future[Any]] = [self.ready, *self.waiting.values()]
        for future in futures:
            if not future.done():
                future.set_exception(ConnectionError(f"the connection of {self.user} was closed"))

    def send(self, frame: dict[str, Any]) -> None:
        """Send a frame."""
        self.transport.send(WSMsgType.TEXT, json.dumps(frame).encode())

    async def ask(self, frame: dict[str, Any]) -> dict[str, Any]:
        """Send a frame and return its response; raises RuntimeError for an `error` frame."""
        self._refs += 1
        ref = str(self._refs)
        future = self.waiting[ref] = asyncio.get_running_loop().create_future()
        self.send({**frame, "ref": ref})
        answer: dict[str, Any] = await asyncio.wait_for(future, PATIENCE_SECONDS)
        if answer["type"] == "error":
            raise RuntimeError(f"{frame['type']} of {self.user}: {answer}")
        return answer

    def stop_reading(self) -> None:
        """Stop reading, as a peer that hangs does."""
        self.transport.underlying_transport.pause_reading()


def run(measuring: Callable[[], Any]) -> Any:
    """Run a coroutine function on uvloop."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(measuring())


@contextlib.asynccontextmanager
async def connected(url: str, users: Sequence[str]) -> AsyncIterator[list[Client]]:
    """Open a connection for each user of an open server, ready for messages; close them at the end."""
    clients: list[Client] = []
    try:
        for start in range(0, len(users), OPENED_AT_ONCE):
            part = users[start : start + OPENED_AT_ONCE]
            clients += await asyncio.gather(*(_open(url, user) for user in part))
        yield clients
    finally:
        _close(clients)
        await asyncio.sleep(0.1)


async def _open(url: str, user: str) -> Client:
    _, client = await ws_connect(lambda: Client(user), f"{url}/?user={quote(user)}")
    assert isinstance(client, Client)
    await asyncio.wait_for(client.ready, PATIENCE_SECONDS)
    return client


def _close(clients: Iterable[Client]) -> None:
    for client in clients:
        client.transport.disconnect()


async def until(done: Callable[[], bool]) -> None:
    """Return when a condition holds; raises TimeoutError after PATIENCE_SECONDS."""
    deadline = time.perf_counter() + PATIENCE_SECONDS
    while not done():
        if time.perf_counter() > deadline:
            raise TimeoutError("messages have not arrived in time")
        await asyncio.sleep(0.005)
