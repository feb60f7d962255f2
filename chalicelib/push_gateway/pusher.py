"""Frames pushed to WebSocket connections, by API Gateway's management API or the local server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class OutgoingFrame(NamedTuple):
    """One frame for some connections; data: UTF-8 text.

    droppable: Whether it is not sent to connections that read too slowly.
    """

    connections: Sequence[str]
    data: bytes
    droppable: bool = False


class Outcome(NamedTuple):
    """The ended connections, and the connections that a frame did not reach and that may be open."""

    gone: list[str]
    failed: list[str]


class CloseReason(NamedTuple):
    """The code and reason of a close frame, where the server can choose them.

    code: 4000 more than the status of HTTP (RFC 6455, 7.4.2: 4000 to 4999 are for applications).
    """

    code: int
    reason: str


SESSION_ENDED = CloseReason(4401, "The session has ended")
LEASE_EXPIRED = CloseReason(4408, "The lease has expired")


class Pusher(Protocol):
    """Pushes frames and closes connections; neither raises.

    inline: Maximum number of connections that a caller pushes to and waits for; 0: nothing is ever pushed.
    """

    inline: int

    def push(self, frames: Sequence[OutgoingFrame]) -> Outcome:
        """Push frames; those for one connection arrive in their order."""
        ...

    def close(self, connections: Sequence[str], reason: CloseReason) -> None:
        """Close connections; ended ones are ignored."""
        ...


class NoPusher:
    """The pusher without PARLEY_PUSH_URL: there are no connections."""

    inline = 0

    def push(self, frames: Sequence[OutgoingFrame]) -> Outcome:
        """Push nothing."""
        return Outcome([], [])

    def close(self, connections: Sequence[str], reason: CloseReason) -> None:
        """Close nothing."""
