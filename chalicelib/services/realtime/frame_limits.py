"""Rate limits of frames: a frame counts against its user's limit, as the same REST call does."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple

from chalicelib.schemas import realtime as frames
from chalicelib.services.auth.caller import Authentication, Charging
from chalicelib.services.inbox.history_check import check_cost
from chalicelib.store.accounts.rate_limits import Rate, RateLimits
from chalicelib.store.accounts.signed_identity import digest_in
from chalicelib.store.realtime.connection import FrameSender
from chalicelib.store.realtime.user_connections import NAMED
from chalicelib.store.redis.query import Query

READ, WRITE = "read", "write"
CLASSES: dict[type, str] = {
    frames.Hello: READ,
    frames.Send: WRITE,
    frames.Edit: WRITE,
    frames.Delete: WRITE,
    frames.React: WRITE,
    frames.Pin: WRITE,
    frames.Pull: READ,
    frames.Received: WRITE,
    frames.Read: WRITE,
    frames.Typing: WRITE,
    frames.Watch: READ,
    frames.RoomJoin: WRITE,
    frames.RoomLeave: WRITE,
    frames.RoomClients: READ,
    frames.Signal: WRITE,
}
"""The class of routes to which a frame counts; a `ping` counts only as a frame of its connection."""
WATCHED_OF_A_REQUEST = 10
"""Number of users in a `watch` that count as one request, beside the first request."""
MAX_KNOWN = 10_000
"""Maximum number of connections whose users a process remembers; it forgets the oldest."""


class Known(NamedTuple):
    """The user and session of a connection, which never change; see FrameSender."""

    handle: str
    session: bytes
    protobuf: bool


class FrameLimits:
    """Counts frames against the limits of their users.

    A frame's event has only the connection's id. A process remembers the users of known connections, so that
    the round trip that renews a connection also counts the frame.

    limits: Requests a minute, by class; 0: no limit.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        self.of_connection = limits["frame"]
        self._limits = limits
        self._known: dict[str, Known] = {}

    def note(self, connection: str, held: FrameSender | None) -> None:
        """Remember a connection's user; held: None: the connection has ended."""
        if held is None:
            self._known.pop(connection, None)
        elif connection not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.pop(next(iter(self._known)), None)
            self._known[connection] = Known(held.handle, held.session, held.protobuf)

    def known(self, connection: str) -> Known | None:
        """Return a connection's user and session; None: this process does not know them."""
        return self._known.get(connection)

    def taking(self, of: Known | FrameSender, frame: frames.ClientFrame) -> Authentication | None:
        """Return the function that counts a frame before it is handled; None: there is no limit."""
        return self._of(of, frame, done=False)

    def charging(self, of: Known | FrameSender, frame: frames.ClientFrame) -> Charging | None:
        """Return the function that counts the further cost of a handled frame; None: there is no limit."""
        return self._of(of, frame, done=True)

    def _of(
        self, of: Known | FrameSender, frame: frames.ClientFrame, *, done: bool
    ) -> functools.partial[Query[Rate]] | None:
        kind = CLASSES.get(type(frame))
        limit = self._limits[kind] if kind is not None and of.session != NAMED else 0
        if kind is None or not limit:
            return None
        return functools.partial(RateLimits.of_user, of.handle, digest_in(of.session), kind, limit, done=done)


def cost_of(frame: frames.ClientFrame) -> int:
    """Return the number of requests that a frame counts as before it is handled."""
    if isinstance(frame, frames.Hello):
        return check_cost(len(frame.check))
    return 1 + len(frame.users) // WATCHED_OF_A_REQUEST if isinstance(frame, frames.Watch) else 1
