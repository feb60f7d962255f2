"""A worker's end of the links: it receives the orders of other processes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec

from infra.local.sockets.orders import HEAD, Kind, Order

Carry = Callable[[Order], Any]


class Inbox(asyncio.Protocol):
    """A worker's end of one link; carry: does what an order says, and returns the answer if there is one."""

    def __init__(self, carry: Carry) -> None:
        self._carry = carry
        self._buffer = bytearray()
        self._decoder = msgspec.msgpack.Decoder(list[Order])
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Carry out every order that is complete."""
        buffer = self._buffer
        buffer += data
        start = 0
        while len(buffer) >= start + HEAD.size:
            (length,) = HEAD.unpack_from(buffer, start)
            end = start + HEAD.size + length
            if len(buffer) < end:
                break
            self._carry_out(bytes(memoryview(buffer)[start + HEAD.size : end]))
            start = end
        del buffer[:start]

    def _carry_out(self, batch: bytes) -> None:
        for order in self._decoder.decode(batch):
            answer = self._carry(order)
            if order.kind >= Kind.POST:
                packed = msgspec.msgpack.encode(answer)
                self._transport.write(HEAD.pack(len(packed)) + packed)
