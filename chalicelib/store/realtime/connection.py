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
"""How long a socket is kept after its lease, so that the sweep can tell of it."""
RENEWALS = 16
"""Renewals elsewhere in a lease: who is silent for less than 15/16 of it, 618 of 660 s, is gone nowhere."""
PROTOBUF = 2
CHAT, WATCHED = "chat:", "watch:"


class FrameSender(NamedTuple):
    """The connection that sent a frame.

    session: the digest of its token, or NAMED of UserConnections, or empty. room: the room of its ticket.
    renew: whether the keys in other slots must be renewed now. wait: µs until a frame may pass; 0: this one
    may.
    """

    handle: str
    session: bytes
    protobuf: bool
    room: str | None
    renew: bool
    wait: int


class Attachments(NamedTuple):
    """What other slots hold of a connection: the chats it is attached to, the users it watches."""

    handle: str
    chats: list[str]
    watched: list[str]


class Connections:
    """The connections by their ids. Their key, each in a slot of its own:

    `{x:<connection>}:socket`: HASH, expires 15 minutes after the lease: `user` (handle), `session` (as
        UserConnections has it), `flags` (2: protobuf), `lease` (until when, µs), `renewed` (µs, when
        the other slots were last told to renew it), `rate` (see parts/gcra.lua), `room` (of its ticket) if
        there is one; `chat:<chat>` for each chat that it is attached to and `watch:<handle>` for each user
        whom it watches, empty.

    A connection whose lease is over takes no frames any more.
    lease: µs that a connection lives after a frame.
    """

    def __init__(self, lease: int) -> None:
        self._lease = lease

    @property
    def _times(self) -> tuple[int, int]:
        return self._lease, self._lease // 1000 + GRACE_MS

    def open(
        self, connection: str, handle: str, session: bytes, *, protobuf: bool, room: str | None
    ) -> Query[object]:
        """Return the query that makes a connection known; session: the digest of its token, or empty."""
        args = (handle, session, PROTOBUF * protobuf, room or "", *self._times)
        return Query(OPEN_CONNECTION, (keys.connection(connection),), args)

    def frame(self, connection: str, limit: int) -> Query[FrameSender | None]:
        """Return the query that renews a connection's lease and takes a frame from its limit.

        limit: frames a minute; 0: none. None: there is no such connection, or its lease is over.
        """
        return Query(
            TAKE_FRAME, (keys.connection(connection),), (limit, *self._times, self._lease // RENEWALS), _held
        )

    def attachments(self, connection: str) -> Query[Attachments | None]:
        """Return the query for what other slots hold of a connection; None: it is not known."""
        return Query("HGETALL", (keys.connection(connection),), read=_attached)

    def takes_protobuf(self, connection: str) -> Query[bool]:
        """Return the query for whether a connection takes protobuf; False: it takes JSON, or is not known."""
        return Query(
            "HGET", (keys.connection(connection),), ("flags",), lambda held: bool(int(held or 0) & PROTOBUF)
        )

    def attach(self, connection: str, *chats: str) -> Query[bool]:
        """Return the query that notes chats to which a connection is attached; False: it is not known."""
        return Query(
            RECORD_ATTACHED_CHATS, (keys.connection(connection),), tuple(CHAT + chat for chat in chats), bool
        )

    def detach(self, connection: str, chat: str) -> Query[bool]:
        """Return the query that strikes a chat off; False: it was not noted."""
        return Query("HDEL", (keys.connection(connection),), (CHAT + chat,), bool)

    def watching(self, connection: str, *handles: str) -> Query[list[str]]:
        """Return the query that notes whom a connection watches, instead of whom it did; returns those.

        Of a connection that is not known nothing is noted.
        """
        named = tuple(WATCHED + handle for handle in handles)
        return Query(RECORD_WATCHED_USERS, (keys.connection(connection),), (WATCHED, *named), _watched)

    def forget(self, connection: str) -> Query[Attachments | None]:
        """Return the query that forgets a connection, as the last thing of it; None: it was not known."""
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
