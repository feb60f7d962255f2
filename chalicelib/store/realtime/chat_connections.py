"""The connections that are attached to a chat: to a large one, or to a room."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.access import refusal
from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

ATTACH_CONNECTION = Script("realtime/attach_connection")
DETACH_CONNECTION = Script("realtime/detach_connection")
READ_JOINED_CONNECTIONS = Script("realtime/read_joined_connections")
RENEW_CHAT_CONNECTION = Script("realtime/renew_chat_connection", spares_writes=True)

JOINED, PROTOBUF = 1, 2
GRACE = 15 * 60 * 1_000_000
"""µs for which an expired connection is kept, so that the sweep can notify others of its end."""


class ChatConnection(NamedTuple):
    """A connection attached to a chat; protobuf: Whether it reads protobuf instead of JSON."""

    connection: str
    protobuf: bool
    handle: str

    @property
    def recipient(self) -> Recipient:
        """The connection as the recipient of a frame."""
        return Recipient(self.connection, self.protobuf)


class Joined(NamedTuple):
    """The result of attaching a connection; first: Whether it is the user's first joined connection.

    connections: All joined connections, with this one.
    """

    first: bool
    connections: list[ChatConnection]


class Left(NamedTuple):
    """The result of detaching a connection; last: Whether it was the user's last joined connection.

    handle: Of its user; empty: it was not attached. connections: The remaining joined ones.
    """

    last: bool
    handle: str
    connections: list[ChatConnection]


class ChatConnections:
    """The connections that are attached to each chat. Their key, in the chat's partition `{c<NNN>}`:

    `{c<NNN>}:clients:<chat>`: HASH, expires 15 minutes after the last one of it has: connection -> 8 bytes of
        when it expires (µs, big-endian), a byte of flags (1: joined by room.join, 2: protobuf), the handle.

    An expired connection counts as ended everywhere, and is kept until `detach`, or for 15 minutes. Queries
    leave out the connections of users who are not members (any more).

    lease: µs of a connection's lease from its renewal.
    """

    def __init__(self, lease: int) -> None:
        self._lease = lease

    def attach(
        self, chat: str, handle: str, connection: str, *, joined: bool, protobuf: bool
    ) -> Query[Joined | None]:
        """Return the query that attaches a connection for a lease; None: not a member, or no such chat.

        joined: Whether by room.join; a joined connection stays joined.
        """
        args = (handle, connection, JOINED * joined + PROTOBUF * protobuf, self._lease, GRACE)
        return Query(ATTACH_CONNECTION, _keys(chat), args, _joined)

    def detach(self, chat: str, connection: str) -> Query[Left]:
        """Return the query that detaches a connection; idempotent."""
        return Query(
            DETACH_CONNECTION, (keys.members(chat), keys.chat_connections(chat)), (connection,), _left
        )

    def joined(self, chat: str, reader: str) -> Query[list[ChatConnection]]:
        """Return the query for the joined connections; reading it raises ChatNotFound and NotAMember."""
        return Query(READ_JOINED_CONNECTIONS, _keys(chat), (reader,), lambda reply: _read(chat, reply))

    def present(self, chat: str, reader: str) -> Query[list[ChatConnection]]:
        """Return the query for the joined connections; empty if the reader is not a member."""
        return Query(
            READ_JOINED_CONNECTIONS,
            _keys(chat),
            (reader,),
            lambda reply: [] if isinstance(reply, int) else chat_connections_of(reply),
        )

    def renew(self, chat: str, connection: str) -> Query[bool]:
        """Return the query that renews a connection; False: it is no longer attached."""
        return Query(
            RENEW_CHAT_CONNECTION, (keys.chat_connections(chat),), (connection, self._lease, GRACE), bool
        )


def _keys(chat: str) -> tuple[str, str, str]:
    return keys.chat(chat), keys.members(chat), keys.chat_connections(chat)


def chat_connections_of(reply: list[bytes]) -> list[ChatConnection]:
    """Return the connections in a script's reply; see lua/parts/chat_connections.lua."""
    connections, flags, handles = reply
    if not connections:
        return []
    of_each = zip(connections.decode().split("\0"), flags, handles.decode().split("\0"), strict=True)
    return [ChatConnection(connection, bool(flag & PROTOBUF), handle) for connection, flag, handle in of_each]


def _joined(reply: list[Any]) -> Joined | None:
    return Joined(bool(reply[0]), chat_connections_of(reply[1:])) if reply else None


def _left(reply: list[Any]) -> Left:
    last, handle, *clients = reply
    return Left(bool(last), handle.decode(), chat_connections_of(clients))


def _read(chat: str, reply: Any) -> list[ChatConnection]:
    if isinstance(reply, int):
        raise refusal(chat, reply)
    return chat_connections_of(reply)
