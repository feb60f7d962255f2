"""What there is to know of a connection by its id alone: whose it is, and what else knows of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

OPEN_CONNECTION = Script("realtime/open_connection")
TAKE_FRAME = Script("realtime/take_frame", spares_writes=True)
RECORD_ATTACHED_CHATS = Script("realtime/record_attached_chats")
RECORD_WATCHED_USERS = Script("realtime/record_watched_users")
CLOSE_CONNECTION = Script("realtime/close_connection")

GRACE_MS = 15 * 60 * 1000
"""Time for which a connection is kept after its lease, so that the sweep can notify others of its end."""
RENEWALS = 16
"""Renewals in other slots in a lease: a connection silent for up to 15/16 of it, 618 of 660 s, stays open."""
PROTOBUF = 2
CHAT, WATCHED = "chat:", "watch:"


class FrameSender(NamedTuple):
    """The connection that sent a frame.

    session: Digest of the session's token, or NAMED of UserConnections, or empty. room: Of its ticket. renew:
    Whether the keys in other slots must be renewed now. wait: µs until a frame is within the limit; 0: this
    frame is.
    """

    handle: str
    session: bytes
    protobuf: bool
    room: str | None
    renew: bool
    wait: int


class Attachments(NamedTuple):
    """The chats to which a connection is attached, and the users whom it watches."""

    handle: str
    chats: list[str]
    watched: list[str]


class Connections:
    """The connections by their ids. Their key, each in a slot of its own:

    `{x:<connection>}:socket`: HASH, expires 15 minutes after the lease: `user` (handle), `session` (as
        UserConnections has it), `flags` (2: protobuf), `lease` (its end, µs), `renewed` (time of the last
        renewal in the other slots, µs), `rate` (see parts/gcra.lua), `room` (of its ticket) if there is one;
        `chat:<chat>` for each chat that it is attached to and `watch:<handle>` for each user whom it watches,
        empty.

    A connection accepts no frames after its lease.

    lease: µs of a connection's lease from a frame.
    """

    def __init__(self, lease: int) -> None:
        self._lease = lease

    @property
    def _times(self) -> tuple[int, int]:
        return self._lease, self._lease // 1000 + GRACE_MS

    def open(
        self, connection: str, handle: str, session: bytes, *, protobuf: bool, room: str | None
    ) -> Query[object]:
        """Return the query that adds a connection; session: Digest of the session's token, or empty."""
        args = (handle, session, PROTOBUF * protobuf, room or "", *self._times)
        return Query(OPEN_CONNECTION, (keys.connection(connection),), args)

    def frame(self, connection: str, limit: int) -> Query[FrameSender | None]:
        """Return the query that renews a connection's lease and counts a frame against its limit.

        limit: Frames a minute; 0: no limit. The result is None if the connection is unknown or has expired.
        """
        return Query(
            TAKE_FRAME, (keys.connection(connection),), (limit, *self._times, self._lease // RENEWALS), _held
        )

    def attachments(self, connection: str) -> Query[Attachments | None]:
        """Return the query for the chats and watched users of a connection; None: it is unknown."""
        return Query("HGETALL", (keys.connection(connection),), read=_attached)

    def takes_protobuf(self, connection: str) -> Query[bool]:
        """Return the query for whether a connection reads protobuf; False: it reads JSON, or is unknown."""
        return Query(
            "HGET", (keys.connection(connection),), ("flags",), lambda held: bool(int(held or 0) & PROTOBUF)
        )

    def attach(self, connection: str, *chats: str) -> Query[bool]:
        """Return the query that records chats to which a connection is attached; False: it is unknown."""
        return Query(
            RECORD_ATTACHED_CHATS, (keys.connection(connection),), tuple(CHAT + chat for chat in chats), bool
        )

    def detach(self, connection: str, chat: str) -> Query[bool]:
        """Return the query that removes the record of an attached chat; False: there was none."""
        return Query("HDEL", (keys.connection(connection),), (CHAT + chat,), bool)

    def watching(self, connection: str, *handles: str) -> Query[list[str]]:
        """Return the query that replaces the watched users of a connection; it returns the earlier ones.

        It does nothing for an unknown connection.
        """
        named = tuple(WATCHED + handle for handle in handles)
        return Query(RECORD_WATCHED_USERS, (keys.connection(connection),), (WATCHED, *named), _watched)

    def forget(self, connection: str) -> Query[Attachments | None]:
        """Return the query that deletes a connection and returns its records; None: it was unknown."""
        return Query(CLOSE_CONNECTION, (keys.connection(connection),), read=_attached)


def _held(reply: list[Any]) -> FrameSender | None:
    if not reply:
        return None
    handle, session, flags, room, renew, wait = reply
    return FrameSender(
        handle.decode(), session, bool(flags & PROTOBUF), room.decode() or None, bool(renew), wait
    )


def _attached(flat: list[bytes]) -> Attachments | None:
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    if b"user" not in fields:
        return None
    names = [field.decode() for field in fields]
    return Attachments(fields[b"user"].decode(), _noted(names, CHAT), _noted(names, WATCHED))


def _watched(reply: list[bytes]) -> list[str]:
    return _noted([field.decode() for field in reply], WATCHED)


def _noted(names: list[str], prefix: str) -> list[str]:
    return sorted(name.removeprefix(prefix) for name in names if name.startswith(prefix))
