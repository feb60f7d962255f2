"""One TCP connection: picows' protocol, held to limits and closed so that the peer learns why."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from picows import WSAutoPingStrategy, WSListener, WSUpgradeRequest, WSUpgradeResponseWithListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # left out of its type stub

from chalicelib.errors import Overloaded, ParleyError, TooManyRequests
from infra.local.addresses import Addresses
from infra.local.descriptors import Descriptors
from infra.local.sockets.handshake import HeadersTooLarge, problem
from infra.local.sockets.outside import OutsideTokens
from infra.local.sockets.shared import Limits
from infra.local.sockets.transport import Transport

HANDSHAKE_SECONDS = 10.0
READ_BYTES = 2048
MAX_READ_BYTES = 16 * 1024
"""Read at once: it bounds how many small frames one read can queue, and how far picows' buffer grows."""
MAX_HEAD_BYTES = 16 * 1024
"""Of a request; picows ends a connection with as much and no end of it, without an answer."""
BEHIND_BYTES = 64 * 1024
HEAD_END = b"\r\n\r\n"
ABRUPT_EXCESS = 1
"""From twice as many connections of an address on, further ones are not answered."""

Admit = Callable[["Wire", WSUpgradeRequest], WSListener | WSUpgradeResponseWithListener]

_DISCARDED = memoryview(bytearray(64 * 1024))
_SILENT = logging.LoggerAdapter(logging.Logger("picows", logging.CRITICAL + 1))
"""Not a Logger: of each of those picows would make another one a connection."""


class Wire(WSProtocol):  # type: ignore[misc]
    """One connection of a server.

    admit: answers the upgrade request. limits: a frame beyond its frame_bytes is closed with 1009.
    addresses: counts the connections of each. handshake_seconds: how long the request may take. outside:
    checks the outside tokens that the request shows before admit; None: there is no issuer. descriptors: says
    which connections to refuse for want of them.
    """

    def __init__(
        self,
        admit: Admit,
        limits: Limits,
        addresses: Addresses,
        handshake_seconds: float = HANDSHAKE_SECONDS,
        outside: OutsideTokens | None = None,
        descriptors: Descriptors | None = None,
    ) -> None:
        super().__init__(
            None,
            None,
            False,
            self._answer,
            _SILENT,
            True,
            None,
            False,
            1,
            1,
            WSAutoPingStrategy.PING_WHEN_IDLE,
            False,
            limits.frame_bytes,
            None,
            READ_BYTES,
        )
        self._admit = admit
        self._outside = outside
        self._handshake_seconds = handshake_seconds
        self._too_late: asyncio.TimerHandle | None = None
        self._behind_bytes = min(BEHIND_BYTES, limits.unread_bytes)
        self._addresses = addresses
        self._descriptors = descriptors or Descriptors()
        self._head: bytearray | None = bytearray()
        self._read_to = memoryview(b"")
        self._deaf = False
        self.peer = ""

    def connection_made(self, transport: Any) -> None:
        """Begin, as an asyncio.Protocol does."""
        address = transport.get_extra_info("peername")
        self.peer = str(address[0]) if address else ""
        super().connection_made(Transport(transport, self._behind_bytes))
        self._too_late = asyncio.get_running_loop().call_later(self._handshake_seconds, transport.abort)
        self._addresses.enter(self.peer)
        if excess := self._addresses.excess(self.peer):
            self._refuse_connection(abruptly=excess > ABRUPT_EXCESS)
        elif self._descriptors.refuses(transport.get_extra_info("socket").fileno()):
            self._refuse(Overloaded("The server has the maximum number of connections. Connect again later."))

    def connection_lost(self, error: Exception | None) -> None:
        """End, as an asyncio.Protocol does."""
        self._addresses.leave(self.peer)
        self._cancel_too_late()
        super().connection_lost(error)

    def get_buffer(self, hint: int) -> memoryview:
        """Return where to read to: nowhere, once a close frame was sent."""
        if self._deaf:
            return _DISCARDED
        buffer: memoryview = super().get_buffer(hint)[:MAX_READ_BYTES]
        if self._head is not None:
            self._read_to = buffer
        return buffer

    def buffer_updated(self, count: int) -> None:
        """Take in what was read."""
        if self._deaf:
            return
        if self._head is not None and self._is_too_large(self._head, self._read_to[:count]):
            self._refuse(
                HeadersTooLarge(f"The request line and headers must have less than {MAX_HEAD_BYTES} bytes.")
            )
            return
        if self._outside and self._head is not None and HEAD_END in self._head:
            check = self._outside.check(bytes(self._head), self.peer)
            if check is not None:
                self._await_check(check, count)
                return
        self._take(count)

    def _await_check(self, check: asyncio.Task[ParleyError | None], count: int) -> None:
        """Read no more until it is known whether the request's token is good, and then take the request."""
        self._outside = None
        transport = self.transport.underlying_transport
        transport.pause_reading()

        def go_on(done: asyncio.Task[ParleyError | None]) -> None:
            if done.cancelled() or transport.is_closing():
                return
            transport.resume_reading()
            refusal = done.result()
            if refusal is None:
                self._take(count)
            else:
                self._refuse(refusal)

        check.add_done_callback(go_on)

    def _take(self, count: int) -> None:
        super().buffer_updated(count)
        self._deaf = self.transport.is_close_frame_sent or self.transport.underlying_transport.closing

    def _is_too_large(self, head: bytearray, more: memoryview) -> bool:
        """Add to the head what came of it, and say whether it is too large."""
        seen = max(0, len(head) - len(HEAD_END) + 1)
        head += more
        end = head.find(HEAD_END, seen)
        return (len(head) if end < 0 else end) >= MAX_HEAD_BYTES

    def _refuse_connection(self, *, abruptly: bool) -> None:
        if abruptly:
            self._deaf = True
            self.transport.underlying_transport.abort()
        else:
            self._refuse(TooManyRequests("Your address has too many connections to this server. Close some."))

    def _refuse(self, error: ParleyError) -> None:
        """Answer without admit, and read no more."""
        self._deaf = True
        self._cancel_too_late()
        transport = self.transport.underlying_transport
        transport.write(problem(error).to_bytes())
        transport.close()

    def _answer(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        self._cancel_too_late()
        self._head = None
        self._read_to = memoryview(b"")
        return self._admit(self, request)

    def _cancel_too_late(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None
