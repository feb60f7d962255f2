"""The life of a room: who comes in and goes, and who is in it now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chalicelib.errors import ConnectionEnded, not_a_member
from chalicelib.schemas.realtime import RoomClients, RoomEvent, RoomFrame, RoomJoin, RoomLeave
from chalicelib.services.chats.membership import Membership
from chalicelib.services.delivery.push import PushService
from chalicelib.services.realtime.dispatch import Connection
from chalicelib.services.social.block_filter import BlockFilter
from chalicelib.services.values.chat_id import ROOM_PREFIX, ChatIds, kind_of
from chalicelib.services.values.paging import take_fitting
from chalicelib.store.realtime.chat_connections import ChatConnection, ChatConnections, Left
from chalicelib.store.realtime.connection import Connections
from chalicelib.store.realtime.user_connections import Target
from chalicelib.store.redis.client import Store

ENTERED = "a new user has joined the room"
GONE = "user left the chat"
"""The notices in Go-Chat's words."""
MOST_LISTED_BYTES = 64 * 1024
"""Of the names in an answer: API Gateway pushes 128 KiB, and base64 takes a third more. REST lists all."""


class RoomService:
    """Lets connections into rooms. A user enters with their first one there, and is gone with the last.

    Of two of whom one blocks the other neither is named to the other, or told that they come or go.
    Being in a room is not being its member: who has gone stays one, and is sent what is written there.
    most_notified: Maximum number of connections in a room that are notified: beyond it, everybody coming or
        going at once would cost the square of them.
    """

    def __init__(
        self,
        store: Store,
        ids: ChatIds,
        membership: Membership,
        chat_connections: ChatConnections,
        connections: Connections,
        push: PushService,
        most_notified: int,
    ) -> None:
        self._store = store
        self._ids = ids
        self._membership = membership
        self._chat_connections = chat_connections
        self._connections = connections
        self._push = push
        self._most_notified = most_notified
        self._filter = BlockFilter(store)

    def join(self, connection: Connection, frame: RoomJoin) -> None:
        """Let a connection into a room, of which its user becomes a member; see enter."""
        self.enter(connection, self._chat(frame.room), frame.ref)

    def enter(self, connection: Connection, chat: str, ref: str | None = None) -> None:
        """Let a connection into a room by its canonical id, say who is there, and tell those; again is fine.

        Four trips for a member: membership, the room, the connection, and whom a block hides; then the answer
        and a push.
        Raises ChatNotFound, Banned, ChatFull, NotAMember: they were removed at once; ConnectionEnded.
        """
        self._membership.join(connection.caller, chat)
        attaching = self._chat_connections.attach(
            chat, connection.handle, connection.id, joined=True, protobuf=connection.protobuf
        )
        joined = self._store.run(attaching)
        if joined is None:
            raise not_a_member(chat)
        # Noted last: whoever ends the connection meanwhile either finds the note, or makes this one fail.
        if not self._store.run(self._connections.attach(connection.id, chat)):
            self._store.run(self._chat_connections.detach(chat, connection.id))
            raise ConnectionEnded("This connection has ended. Open another with a new ticket.")
        shown = self._shown(connection.handle, joined.connections)
        self._answer(connection, chat, "joined", shown, ref)
        if joined.first:
            others = [client for client in shown if client.connection != connection.id]
            self._notify(chat, "entered", connection.handle, ENTERED, others)

    def leave(self, connection: Connection, frame: RoomLeave) -> None:
        """Let a connection out of a room, and tell the others if its user has gone with it; again is fine.

        The user stays a member, and it is pushed what is written there. Three trips, the answer and a push.
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
        shown = self._shown(connection.handle, left.connections)
        self._answer(connection, chat, "left", shown if held else (), frame.ref)
        self._gone(chat, left, shown)

    def clients(self, connection: Connection, frame: RoomClients) -> None:
        """Say who is in a room now, to a member; two trips. Raises ChatNotFound, NotAMember, BadRequest."""
        chat = self._chat(frame.room)
        found = self._store.run(self._chat_connections.joined(chat, connection.handle))
        self._answer(connection, chat, "clients", self._shown(connection.handle, found), frame.ref)

    def dropped(self, connection: str, handle: str, chats: Sequence[str]) -> None:
        """Take a connection that has ended out of chats, 100 in a trip, and tell rooms who has gone.

        Whom a block hides is read before, in two trips: a store that fails then has it all done again, while
        nobody could be told any more of what was detached already. Who has come between is asked after that.
        """
        rooms = [chat for chat in chats if kind_of(chat) == "room"]
        there = self._store.run_all(self._chat_connections.present(room, handle) for room in rooms)
        asked = {client.handle for clients in there for client in clients}
        hidden = self._filter.hidden(handle, asked)
        lefts = self._store.run_all(self._chat_connections.detach(chat, connection) for chat in chats)
        told = {client.handle for left in lefts if left.last for client in left.connections}
        hidden |= self._filter.hidden(handle, told - asked)
        for chat, left in zip(chats, lefts, strict=True):
            self._gone(chat, left, [client for client in left.connections if client.handle not in hidden])

    def _shown(self, handle: str, clients: Sequence[ChatConnection]) -> list[ChatConnection]:
        """Return the clients but those of users who block somebody, or whom that one blocks, in a trip."""
        hidden = self._filter.hidden(handle, {client.handle for client in clients})
        return [client for client in clients if client.handle not in hidden]

    def _gone(self, chat: str, left: Left, others: Sequence[ChatConnection]) -> None:
        if left.last:
            self._notify(chat, "gone", left.handle, GONE, others)

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
        listed = take_fitting(handles, lambda handle: len(handle.encode()), MOST_LISTED_BYTES)
        frame = RoomFrame(room=_bare(chat), chat=chat, event=event, clients=listed, ref=ref)
        self._push.reply(connection.target, frame)

    def _notify(
        self, chat: str, event: RoomEvent, handle: str, notice: str, clients: Iterable[ChatConnection]
    ) -> None:
        targets = [Target(client.connection, client.protobuf) for client in clients]
        if 0 < len(targets) <= self._most_notified and kind_of(chat) == "room":
            frame = RoomFrame(room=_bare(chat), chat=chat, event=event, user=handle, notice=notice)
            self._push.send(targets, frame)


def _bare(chat: str) -> str:
    return chat.removeprefix(ROOM_PREFIX)
