"""A proxy to a WebSocket server with every kind of network failure."""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
from collections import Counter
from types import TracebackType
from typing import Self

from msgspec import Struct

HINTS = (b'{"type":"message"', b'{"type":"receipt"')
"""The beginnings of frames that the server sends unasked."""
ACK = b'{"type":"ack"'
TEXT_OPCODE = 1
CHUNK = 16 * 1024
SMALL_BUFFER, SMALL_SEGMENT = 4 * 1024, 1_400
"""The buffer of connections to the server, small so that little fits between it and a stalled reader."""
ESTABLISHED, RESET = 1, 7  # as Linux numbers the states of TCP; 7 is CLOSE
POLL_SECONDS = 0.02


class Faults(Struct, frozen=True, kw_only=True):
    """How often what happens to a frame of the server, from 0 to 1.

    drop, delay: hints, lost or late, so that others overtake them. drop_ack: answers to sends.
    cut: any frame, and with it the connection ends. most_delay: s.
    """

    drop: float = 0.0
    delay: float = 0.0
    drop_ack: float = 0.0
    cut: float = 0.0
    most_delay: float = 0.0


class LossyProxy:
    """Carries TCP connections of WebSockets to a server on 127.0.0.1, while it is a context.

    faults: may be changed at any time. counts: what happened: drop, reordered, drop_ack, cut, hang, unread
    (the server dropped who did not read), frames.
    """

    def __init__(self, port: int, rng: random.Random, faults: Faults) -> None:
        self.faults = faults
        self.rng = rng
        self.counts: Counter[str] = Counter()
        self.url = ""
        self._port = port
        self._server: asyncio.Server | None = None
        self._passages: dict[Passage, asyncio.Task[None]] = {}

    def stall(self, count: int) -> None:
        """Stop reading on some connections for good."""
        for passage in self._some(count):
            passage.reads = False

    def hang(self, count: int) -> None:
        """Stop forwarding on some connections, without a notice to either end."""
        for passage in self._some(count):
            passage.hangs = True
            self.counts["hang"] += 1

    def _some(self, count: int) -> list[Passage]:
        able = [one for one in self._passages if one.reads and not one.hangs]
        return self.rng.sample(able, min(count, len(able)))

    def heal(self) -> None:
        """Stop the failures, and cut connections that hang or stall."""
        self.faults = Faults()
        for passage in self._passages:
            if passage.hangs or not passage.reads:
                passage.cut()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        try:
            upstream = await asyncio.open_connection(sock=await _connected(self._port), limit=CHUNK)
        except OSError:
            writer.transport.abort()
            return
        passage = Passage(self, (reader, writer), upstream)
        assert task
        self._passages[passage] = task
        try:
            await passage.run()
        finally:
            del self._passages[passage]

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0, limit=CHUNK)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server
        self._server.close()
        tasks = list(self._passages.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Passage:
    """One connection. reads: whether what the server sends is read. hangs: whether nothing passes."""

    def __init__(self, proxy: LossyProxy, client: Stream, server: Stream) -> None:
        self.reads = True
        self.hangs = False
        self._proxy = proxy
        self._from_client, self._to_client = client
        self._from_server, self._to_server = server
        self._number = self._newest = 0

    async def run(self) -> None:
        """Forward until either end has gone."""
        up = asyncio.get_running_loop().create_task(self._up())
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._down()
        finally:
            self._to_server.close()
            self._to_client.close()
            up.cancel()
            await asyncio.gather(up, return_exceptions=True)

    def cut(self) -> None:
        """End it for both ends, without a close."""
        self._to_server.transport.abort()
        self._to_client.transport.abort()

    async def _dropped(self) -> bool:
        """Return, once a connection without a reader has ended, whether the server has reset it."""
        own: socket.socket = self._to_server.get_extra_info("socket")
        while own.fileno() >= 0:
            state = own.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
            if state != ESTABLISHED:
                return state == RESET
            await asyncio.sleep(POLL_SECONDS)
        return False

    async def _up(self) -> None:
        """Forward the client's bytes; a stalled client may leave unnoticed by the server."""
        with contextlib.suppress(OSError):
            while data := await self._from_client.read(CHUNK):
                if not self.hangs:
                    self._to_server.write(data)
                    await self._to_server.drain()
        if self.reads and not self.hangs:
            self._to_server.close()

    async def _down(self) -> None:
        self._to_client.write(await self._from_server.readuntil(b"\r\n\r\n"))
        while True:
            if not self.reads:
                dropped = await self._dropped()
                self._proxy.counts["unread"] += dropped
                return
            await self._treat(*await _frame(self._from_server))

    async def _treat(self, frame: bytes, payload: bytes) -> None:
        proxy, faults = self._proxy, self._proxy.faults
        proxy.counts["frames"] += 1
        hint, draw = payload.startswith(HINTS), proxy.rng.random
        if self.hangs:
            return
        if draw() < faults.cut:
            proxy.counts["cut"] += 1
            self.cut()
        elif hint and draw() < faults.drop:
            proxy.counts["drop"] += 1
        elif payload.startswith(ACK) and draw() < faults.drop_ack:
            proxy.counts["drop_ack"] += 1
        else:
            late = hint and draw() < faults.delay
            await self._pass_on(frame, draw() * faults.most_delay if late else 0.0)

    async def _pass_on(self, frame: bytes, delay: float) -> None:
        self._number += 1
        if delay:
            asyncio.get_running_loop().call_later(delay, self._write, frame, self._number)
        else:
            self._write(frame, self._number)
            await self._to_client.drain()

    def _write(self, frame: bytes, number: int) -> None:
        if not self._to_client.is_closing():
            self._proxy.counts["reordered"] += number < self._newest
            self._newest = max(self._newest, number)
            self._to_client.write(frame)


async def _connected(port: int) -> socket.socket:
    made = socket.socket()
    made.setblocking(False)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SMALL_SEGMENT)
    try:
        await asyncio.get_running_loop().sock_connect(made, ("127.0.0.1", port))
    except BaseException:
        made.close()
        raise
    return made


async def _frame(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """Read one frame of a server; return it, and its payload if it is text."""
    head = await reader.readexactly(2)
    length = head[1] & 0x7F
    if length >= 126:
        more = await reader.readexactly(2 if length == 126 else 8)
        (length,) = struct.unpack(">H" if length == 126 else ">Q", more)
        head += more
    payload = await reader.readexactly(length)
    return head + payload, payload if head[0] & 0x0F == TEXT_OPCODE else b""
