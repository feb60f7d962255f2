"""The last use of a connection: after a frozen Lambda function wakes, an idle one may be dead."""

from __future__ import annotations

from time import monotonic, time

IDLE_SECONDS = 10
"""A connection unused for longer is opened again before its next use."""


class LastUse:
    """The moment of a connection's last use; at first, now."""

    __slots__ = ("_monotonic", "_wall")

    def __init__(self) -> None:
        self.note()

    def note(self) -> None:
        """Record that the connection is used now."""
        self._monotonic, self._wall = monotonic(), time()

    def renew(self) -> bool:
        """Record a use now; return whether the one before was long ago."""
        was_long_ago = self.is_long_ago()
        self.note()
        return was_long_ago

    def is_long_ago(self) -> bool:
        """Return whether the last use was more than IDLE_SECONDS ago."""
        # No document says which clock runs on while a sandbox is frozen: the monotonic one of a suspended
        # machine or a restored snapshot stands still, and the wall clock may be set back. So either
        # of them suffices; at worst an open connection is opened again.
        return monotonic() - self._monotonic > IDLE_SECONDS or time() - self._wall > IDLE_SECONDS
