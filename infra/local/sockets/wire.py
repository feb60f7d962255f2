"""One upgraded connection: picows' protocol with limits, and a close that the other side can still read."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from picows import WSAutoPingStrategy, WSUpgradeRequest, WSUpgradeResponse
from picows import WSUpgradeResponseWithListener as Answer
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # left out of its type stub

from infra.local.sockets.connection import Connection
from infra.local.sockets.shared import Limits
from infra.local.sockets.transport import Transport

READ_BYTES = 2048
MAX_READ_BYTES = 16 * 1024
"""Maximum bytes of one read: limits the small frames that it can queue, and the growth of picows' buffer."""
BEHIND_BYTES = 64 * 1024

_DISCARDED = memoryview(bytearray(64 * 1024))
_SILENT = logging.LoggerAdapter(logging.Logger("picows", logging.CRITICAL + 1))
"""An adapter: picows would make another logger for each connection from a Logger."""


class Wire(WSProtocol):  # type: ignore[misc]
    """One TCP connection that becomes a WebSocket.

    request: Bytes of an upgrade request. response: Accepts it. limits: A frame longer than frame_bytes closes
    the connection with 1009. connection_id: Of the connection.
    """

    def __init__(
        self, request: bytes, response: WSUpgradeResponse, connection: Connection, limits: Limits
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
        self._request = request
        self._accepted: Answer | None = Answer(response, connection)
        self.connection_id = connection.id
        self._behind_bytes = min(BEHIND_BYTES, limits.unread_bytes)
        self._lost: Callable[[], None] | None = None
        self._deaf = False

    def take_over(self, transport: Any, received: bytes, lost: Callable[[], None]) -> None:
        """Go on with a connection.

        received: What has arrived behind the request. lost: Called when the connection has ended.
        """
        self._lost = lost
        self.connection_made(Transport(transport, self._behind_bytes))
        self._receive(self._request)
        self._request = b""
        self._receive(received)

    def connection_lost(self, error: Exception | None) -> None:
        """End the connection; see asyncio.Protocol."""
        if self._lost is not None:
            self._lost()
        super().connection_lost(error)

    def get_buffer(self, hint: int) -> memoryview:
        """Return the buffer to read into; after a close frame, one that is discarded."""
        if self._deaf:
            return _DISCARDED
        buffer: memoryview = super().get_buffer(hint)[:MAX_READ_BYTES]
        return buffer

    def buffer_updated(self, count: int) -> None:
        """Handle the bytes of a read; see asyncio.BufferedProtocol."""
        if not self._deaf:
            super().buffer_updated(count)
            self._deaf = self.transport.is_close_frame_sent or self.transport.underlying_transport.closing

    def _receive(self, data: bytes) -> None:
        """Handle bytes that were read before the connection was taken over."""
        left = memoryview(data)
        while left:
            buffer = self.get_buffer(-1)
            count = min(len(buffer), len(left))
            buffer[:count] = left[:count]
            self.buffer_updated(count)
            left = left[count:]

    def _answer(self, _: WSUpgradeRequest) -> Answer | None:
        answer, self._accepted = self._accepted, None
        return answer
