"""The loop's transport as picows uses it, closed so that the peer still reads the last bytes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any

LINGER_SECONDS = 2.0
NO_LINGER = struct.pack("ii", 1, 0)


class Transport:
    """The loop's transport, as picows uses it, with another way to close and to receive a large frame.

    Closing a socket with unread input resets the connection, and the last bytes, such as the close frame, may
    be lost. So this transport shuts down its side, and reads until the peer closes.
    behind_bytes: Maximum number of unread bytes; above it the peer counts as behind.
    """

    def __init__(self, transport: Any, behind_bytes: int) -> None:
        transport.set_write_buffer_limits(high=behind_bytes)
        self._transport = transport
        self.closing = False
        self.write = transport.write
        self.get_write_buffer_size: Callable[[], int] = transport.get_write_buffer_size
        self.get_extra_info = transport.get_extra_info
        self.abort = transport.abort

    def writelines(self, parts: Iterable[bytes | memoryview]) -> None:
        """Write a frame, with a copy of its head: picows uses that memory again, and uvloop keeps it."""
        self.write(b"".join(parts))

    def is_closing(self) -> bool:
        """Return whether it has ended, or is about to."""
        return self.closing or bool(self._transport.is_closing())

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
