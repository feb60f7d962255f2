"""One TCP connection: picows' protocol, held to limits and closed so that the peer learns why."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any

from picows import WSAutoPingStrategy, WSListener, WSUpgradeRequest, WSUpgradeResponseWithListener
from picows.picows import WSProtocol  # type: ignore[attr-defined]  # left out of its type stub

HANDSHAKE_SECONDS = 10.0
LINGER_SECONDS = 2.0
NO_LINGER = struct.pack("ii", 1, 0)
READ_BYTES = 2048
MOST_READ_BYTES = 16 * 1024
"""Read at once: it bounds how many small frames one read can queue, and how far picows' buffer grows."""

Admit = Callable[["Wire", WSUpgradeRequest], WSListener | WSUpgradeResponseWithListener]

_DISCARDED = memoryview(bytearray(64 * 1024))
_SILENT = logging.LoggerAdapter(logging.Logger("picows", logging.CRITICAL + 1))
"""Not a Logger: of each of those picows would make another one a connection."""


class Transport:
    """The loop's transport, as picows uses it, but for its way to close and to take a large frame.

    A socket that is closed while there is something to read resets the connection, and what was written
    last, such as the close frame, may be lost. So it says that it ends, and reads on until its peer does.
    """

    def __init__(self, transport: Any, unread_bytes: int) -> None:
        transport.set_write_buffer_limits(high=unread_bytes)
        self._transport = transport
        self.closing = False
        self.write = transport.write
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.get_extra_info = transport.get_extra_info
        self.abort = transport.abort

    def writelines(self, parts: Iterable[bytes | memoryview]) -> None:
        """Write a frame, with a copy of its head: picows uses that memory again, and uvloop keeps it."""
        self.write(b"".join(parts))

    def reset(self) -> None:
        """End at once, and throw away what the peer has not read."""
        with contextlib.suppress(OSError):
            self.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        self.abort()

    def pause_reading(self) -> None:
        """Read no more for now."""
        if not self.closing and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read on."""
        if not self._transport.is_closing():
            self._transport.resume_reading()

    def close(self) -> None:
        """Close once what was written is with the peer, or after LINGER_SECONDS."""
        if self.closing or self._transport.is_closing():
            return
        self.closing = True
        self.resume_reading()
        try:
            self._transport.write_eof()
        except (OSError, RuntimeError):
            self._transport.abort()
        else:
            asyncio.get_running_loop().call_later(LINGER_SECONDS, self._transport.abort)


class Wire(WSProtocol):  # type: ignore[misc]
    """One connection of a server.

    admit: answers the upgrade request. frame_bytes: of the largest frame; a larger one is closed with 1009.
    unread_bytes: what may wait for the peer to read it. handshake_seconds: how long the request may take.
    """

    def __init__(
        self,
        admit: Admit,
        frame_bytes: int,
        unread_bytes: int,
        handshake_seconds: float = HANDSHAKE_SECONDS,
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
            frame_bytes,
            None,
            READ_BYTES,
        )
        self._admit = admit
        self._handshake_seconds = handshake_seconds
        self._too_late: asyncio.TimerHandle | None = None
        self._unread_bytes = unread_bytes
        self._deaf = False
        self.peer = ""

    def connection_made(self, transport: Any) -> None:
        """Begin, as an asyncio.Protocol does."""
        address = transport.get_extra_info("peername")
        self.peer = str(address[0]) if address else ""
        super().connection_made(Transport(transport, self._unread_bytes))
        self._too_late = asyncio.get_running_loop().call_later(self._handshake_seconds, transport.abort)

    def connection_lost(self, error: Exception | None) -> None:
        """End, as an asyncio.Protocol does."""
        self._cancel_too_late()
        super().connection_lost(error)

    def get_buffer(self, hint: int) -> memoryview:
        """Return where to read to: nowhere, once a close frame was sent."""
        if self._deaf:
            return _DISCARDED
        buffer: memoryview = super().get_buffer(hint)
        return buffer[:MOST_READ_BYTES]

    def buffer_updated(self, count: int) -> None:
        """Take in what was read."""
        if not self._deaf:
            super().buffer_updated(count)
            self._deaf = self.transport.is_close_frame_sent or self.transport.underlying_transport.closing

    def _answer(self, request: WSUpgradeRequest) -> WSListener | WSUpgradeResponseWithListener:
        self._cancel_too_late()
        return self._admit(self, request)

    def _cancel_too_late(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None
