"""A connection after its last answer, until the client has read it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from infra.local.http.time_limit import TimeLimit

STALL_SECONDS = 60.0
LINGER_SECONDS = 5.0
LINGER_BYTES = 10 * 1024 * 1024


class Unread:
    """Looks from time to time whether a client goes on reading what was written to it.

    size: Returns the number of bytes that it has not read. last: That number at the last look.
    """

    def __init__(self, size: Callable[[], int], last: int) -> None:
        self._size = size
        self._last = last

    def has_shrunk(self) -> bool:
        """Return whether it has read a part since the last look, and not yet everything."""
        now, before = self._size(), self._last
        self._last = now
        return 0 < now < before


class Closing(asyncio.Protocol):
    """Discards what still comes, until the client closes its side or a while has passed.

    Closing a connection with unread input resets it, and the client might not see the answer. So only one
    side is shut down at first.

    transport: The loop's. lost: Called when the connection has ended. lingers: False: it is closed as soon as
    its answer is written.
    """

    def __init__(self, transport: Any, lost: Callable[[Closing], None], *, lingers: bool) -> None:
        self.transport = transport
        self._lost = lost
        self._discarded = 0
        size = transport.get_write_buffer_size
        self._unread = Unread(size, size() + 1)  # the first limit is short, and counts as progress
        self._limit = TimeLimit(self._passed)
        transport.set_protocol(self)
        self._limit.set(LINGER_SECONDS)
        if lingers:
            self._shut_down()
        else:
            transport.close()

    @property
    def has_unread(self) -> bool:
        """Whether a part of the answer waits for the client to read."""
        return bool(self.transport.get_write_buffer_size())

    def data_received(self, data: bytes) -> None:
        """Discard what comes, up to LINGER_BYTES; see asyncio.Protocol."""
        self._discarded += len(data)
        if self._discarded > LINGER_BYTES:
            self.transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """End the connection; see asyncio.Protocol."""
        self._limit.end()
        self._lost(self)

    def _shut_down(self) -> None:
        try:
            self.transport.write_eof()
        except (OSError, RuntimeError):
            self.transport.abort()

    def _passed(self) -> None:
        if self._unread.has_shrunk():
            self._limit.set(STALL_SECONDS)
        else:
            self.transport.abort()
