"""One TCP connection: picows' protocol with limits, and a close that the other side can still read."""

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
"""Maximum bytes of one read: limits the small frames that it can queue, and the growth of picows' buffer."""
MAX_HEAD_BYTES = 16 * 1024
"""Maximum bytes of a request's head; picows ends a connection with a longer one without a response."""
BEHIND_BYTES = 64 * 1024
HEAD_END = b"\r\n\r\n"
ABRUPT_EXCESS = 1
"""An address with more than twice its maximum of connections gets no response to further ones."""

AnswerUpgrade = Callable[["Wire", WSUpgradeRequest], WSListener | WSUpgradeResponseWithListener]

_DISCARDED = memoryview(bytearray(64 * 1024))
_SILENT = logging.LoggerAdapter(logging.Logger("picows", logging.CRITICAL + 1))
"""An adapter: picows would make another logger for each connection from a Logger."""


class Wire(WSProtocol):  # type: ignore[misc]
    """One TCP connection of a server.

    answer_upgrade: Accepts or refuses the upgrade request. limits: A frame longer than frame_bytes closes the
    connection with 1009. addresses: Counts the connections of each address. handshake_seconds: Maximum time
    for the request. outside: Checks outside tokens of the request before answer_upgrade; None: there is no
    issuer. descriptors: Refuses connections when file descriptors are short.
    """

    def __init__(
        self,
        answer_upgrade: AnswerUpgrade,
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
        self._answer_upgrade = answer_upgrade
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
        """Begin the connection; see asyncio.Protocol."""
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
        """End the connection; see asyncio.Protocol."""
        self._addresses.leave(self.peer)
        self._cancel_too_late()
        super().connection_lost(error)

    def get_buffer(self, hint: int) -> memoryview:
        """Return the buffer to read into; after a close frame, one that is discarded."""
        if self._deaf:
            return _DISCARDED
        buffer: memoryview = super().get_buffer(hint)[:MAX_READ_BYTES]
        if self._head is not None:
            self._read_to = buffer
        return buffer

    def buffer_updated(self, count: int) -> None:
        """Handle the bytes of a read; see asyncio.BufferedProtocol."""
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
        """Stop reading until the request's token is checked, and then handle or refuse the request."""
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
        """Add received bytes to the head; return whether it is too large."""
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
        """Send an error as the response to the request, and read no more."""
        self._deaf = True
        self._cancel_too_late()
        transport = self.transport.underlying_transport
        transport.write(problem(error).to_bytes())
        transport.close()

    def _answer(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        self._cancel_too_late()
        self._head = None
        self._read_to = memoryview(b"")
        return self._answer_upgrade(self, request)

    def _cancel_too_late(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None
