"""Frames of rooms: a connection joins, leaves, or lists the users in the room."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.errors import ConnectionEnded, not_a_member
from chalicelib.schemas.realtime import RoomClients, RoomEvent, RoomFrame, RoomJoin, RoomLeave
from chalicelib.services.chats.membership import Membership
from chalicelib.services.delivery.frame_push import answer
from chalicelib.services.delivery.push import PushService
from chalicelib.services.delivery.room_notices import RoomNotices, bare
from chalicelib.services.realtime.dispatch import Connection
from chalicelib.services.values.chat_id import ROOM_PREFIX, ChatIds
from chalicelib.services.values.paging import take_fitting
from chalicelib.store.realtime.chat_connections import ChatConnection, ChatConnections
from chalicelib.store.realtime.connection import Connections
from chalicelib.store.redis.client import Store

MAX_LISTED_BYTES = 64 * 1024
"""Maximum bytes of the names in a reply: API Gateway pushes 128 KiB, base64 adds a third. REST lists all."""


class RoomService:
    """Lets connections into rooms: a user enters with the first connection, and leaves with the last.

    Two users of whom one blocks the other are not shown to each other. A member outside the room stays a
    member, and gets its messages.
    """

    def __init__(
        self,
        store: Store,
        ids: ChatIds,
        membership: Membership,
        chat_connections: ChatConnections,
        connections: Connections,
        notices: RoomNotices,
        push: PushService,
    ) -> None:
        self._store = store
        self._ids = ids
        self._membership = membership
        self._chat_connections = chat_connections
        self._connections = connections
        self._notices = notices
        self._push = push

    def join(self, connection: Connection, frame: RoomJoin) -> None:
        """Let a connection into a room, and make its user a member; see enter."""
        self.enter(connection, self._chat(frame.room), frame.ref)

    def enter(self, connection: Connection, chat: str, ref: str | None = None) -> None:
        """Let a connection into a room, reply with the users there, and notify them; idempotent.

        chat: The room's canonical id. Takes four round trips for a member: the membership, the room, the
        connection, and the users whom a block hides; then the reply and a push.
        Raises ChatNotFound, Banned, ChatFull, NotAMember: the user was removed meanwhile; ConnectionEnded.
        """
        self._membership.join(connection.caller, chat)
        attaching = self._chat_connections.attach(
            chat, connection.handle, connection.id, joined=True, protobuf=connection.protobuf
        )
        joined = self._store.run(attaching)
        if joined is None:
            raise not_a_member(chat)
        # Comes last: a simultaneous disconnect either finds this attachment, or makes it fail.
        if not self._store.run(self._connections.attach(connection.id, chat)):
            self._store.run(self._chat_connections.detach(chat, connection.id))
            raise ConnectionEnded("This connection has ended. Open another with a new ticket.")
        shown = self._notices.shown(connection.handle, joined.connections)
        self._answer(connection, chat, "joined", shown, ref)
        if joined.first:
            others = [client for client in shown if client.connection != connection.id]
            self._push.send(*self._notices.entered(chat, connection.handle, others))

    def leave(self, connection: Connection, frame: RoomLeave) -> None:
        """Let a connection out of a room, and notify the others if it was its user's last one; idempotent.

        The user stays a member, and gets the room's messages. Takes three round trips, the reply and a push.
        Raises ChatNotFound, BadRequest.
        """
        chat = self._chat(frame.room)
        left = self._store.run(self._chat_connections.detach(chat, connection.id))
        attaching = self._chat_connections.attach(
            chat, connection.handle, connection.id, joined=False, protobuf=connection.protobuf
        )
        held = self._store.run(attaching) if left.handle else None
        if left.handle and held is None:  # no member any more
            self._store.run(self._connections.detach(connection.id, chat))
        shown = self._notices.shown(connection.handle, left.connections)
        self._answer(connection, chat, "left", shown if held else (), frame.ref)
        self._push.send(*self._notices.gone(chat, left, shown))

    def clients(self, connection: Connection, frame: RoomClients) -> None:
        """Reply to a member with the users in a room, in two round trips.

        Raises ChatNotFound, NotAMember, BadRequest.
        """
        chat = self._chat(frame.room)
        found = self._store.run(self._chat_connections.joined(chat, connection.handle))
        self._answer(connection, chat, "clients", self._notices.shown(connection.handle, found), frame.ref)

    def _chat(self, room: str) -> str:
        return self._ids.group(ROOM_PREFIX + room)

    def _answer(
        self,
        connection: Connection,
        chat: str,
        event: RoomEvent,
        clients: Iterable[ChatConnection],
        ref: str | None,
    ) -> None:
        handles = sorted({client.handle for client in clients})
        listed = take_fitting(handles, lambda handle: len(handle.encode()), MAX_LISTED_BYTES)
        frame = RoomFrame(room=bare(chat), chat=chat, event=event, clients=listed, ref=ref)
        self._push.send(answer(connection.recipient, frame))
