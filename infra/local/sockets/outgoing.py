"""The sending side of a connection: frames, the close frame, and the bytes that the client has not read."""

from __future__ import annotations

from typing import cast

from picows import WSCloseCode, WSMsgType, WSTransport

from infra.local.sockets.transport import Transport

BEHIND_PART = 16
"""A client is behind if more than this part of its maximum of unread bytes is unread."""


class Outgoing:
    """Sends to a client; before `open` it does nothing.

    unread_bytes: Maximum number of bytes that the client may leave unread.
    """

    __slots__ = ("_frames", "_stream", "_unread_bytes")

    def __init__(self, unread_bytes: int) -> None:
        self._unread_bytes = unread_bytes
        self._frames: WSTransport | None = None
        self._stream: Transport | None = None

    def open(self, transport: WSTransport) -> None:
        """Send by a transport from now on."""
        self._frames = transport
        self._stream = cast(Transport, transport.underlying_transport)

    @property
    def is_open(self) -> bool:
        """Whether `open` was called."""
        return self._frames is not None

    @property
    def unread(self) -> int:
        """Number of bytes that wait for the client to read, without those in the kernel."""
        return 0 if self._stream is None else self._stream.get_write_buffer_size()

    @property
    def is_behind(self) -> bool:
        """Whether the client has left so much unread that droppable frames are not sent to it."""
        return self.unread * BEHIND_PART > self._unread_bytes

    def send(self, kind: WSMsgType, data: bytes) -> None:
        """Send a frame."""
        if self._frames is not None:
            self._frames.send(kind, data)

    def close(self, code: int | WSCloseCode, reason: str | None = None) -> None:
        """Send a close frame, and end the TCP connection once it is written."""
        if self._frames is not None:
            self._frames.send_close(cast(WSCloseCode, code), reason)  # picows takes any number
            self._frames.disconnect()

    def read(self, *, on: bool) -> None:
        """Stop reading from the client, or read again."""
        if self._stream is not None:
            (self._stream.resume_reading if on else self._stream.pause_reading)()

    def reset(self) -> None:
        """End the TCP connection at once, and discard unread bytes."""
        if self._stream is not None:
            self._stream.reset()
