"""The requests that frames take from their users' rate limits, as the same REST calls do."""

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
"""The class of routes that a frame counts to; a `ping` counts only as a frame of its connection."""
WATCHED_OF_A_REQUEST = 10
"""Users that a `watch` may name for each request that it counts as, beside the first."""
MAX_KNOWN = 10_000
"""Connections of which a process remembers whose they are; the oldest are forgotten."""


class Known(NamedTuple):
    """Whose a connection is, which never changes; see FrameSender."""

    handle: str
    session: bytes
    protobuf: bool


class FrameLimits:
    """Takes from the limits of users what their frames cost.

    A frame's event has only the connection's id. Of connections that it has heard of before, a process
    remembers whose they are, so that the user's limit is taken from in the round trip that renews it.
    limits: requests a minute, by class; 0: no limit.
    """

    def __init__(self, limits: Mapping[str, int]) -> None:
        self.of_connection = limits["frame"]
        self._limits = limits
        self._known: dict[str, Known] = {}

    def note(self, connection: str, held: FrameSender | None) -> None:
        """Remember whose a connection is; None: it has ended."""
        if held is None:
            self._known.pop(connection, None)
        elif connection not in self._known:
            if len(self._known) >= MAX_KNOWN:
                self._known.pop(next(iter(self._known)), None)
            self._known[connection] = Known(held.handle, held.session, held.protobuf)

    def known(self, connection: str) -> Known | None:
        """Return whose a connection is, if that was noted here."""
        return self._known.get(connection)

    def taking(self, of: Known | FrameSender, frame: frames.ClientFrame) -> Authentication | None:
        """Return what takes from the limits of a user before a frame is done; None: there is no limit."""
        return self._of(of, frame, done=False)

    def charging(self, of: Known | FrameSender, frame: frames.ClientFrame) -> Charging | None:
        """Return what takes from them what a frame turned out to cost; None: there is no limit."""
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
    """Return as how many requests a frame counts, before what it turns out to cost."""
    if isinstance(frame, frames.Hello):
        return check_cost(len(frame.check))
    return 1 + len(frame.users) // WATCHED_OF_A_REQUEST if isinstance(frame, frames.Watch) else 1
