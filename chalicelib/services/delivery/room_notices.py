"""Notices for the connections in a room: a user enters or leaves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from chalicelib.schemas.realtime import RoomEvent, RoomFrame
from chalicelib.services.delivery.frame_push import AddressedFrame
from chalicelib.services.social.block_filter import BlockFilter
from chalicelib.services.values.chat_id import ROOM_PREFIX, kind_of
from chalicelib.store.realtime.chat_connections import ChatConnection, ChatConnections, Left
from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.redis.client import Store

ENTERED = "a new user has joined the room"
GONE = "user left the chat"
"""The notices in Go-Chat's words."""


class RoomNotices:
    """Detaches connections from chats, and makes the notices of rooms.

    Two users of whom one blocks the other get no notice of each other.

    most_notified: Maximum number of connections in a room that are notified; the cost of everybody entering
        at once grows with its square.
    """

    def __init__(
        self, store: Store, chat_connections: ChatConnections, blocks: BlockFilter, most_notified: int
    ) -> None:
        self._store = store
        self._chat_connections = chat_connections
        self._blocks = blocks
        self._most_notified = most_notified

    def detach(self, connection: str, handle: str, chats: Sequence[str]) -> list[AddressedFrame]:
        """Detach an ended connection from chats, 100 in a round trip; return the notices for rooms.

        The users whom a block hides are read first, in two round trips: if the store fails then, the next
        attempt repeats all of it. After a detachment it could not notify anybody. Users who have entered
        meanwhile are checked at the end.
        """
        rooms = [chat for chat in chats if kind_of(chat) == "room"]
        present = self._store.run_all(self._chat_connections.present(room, handle) for room in rooms)
        checked = {one.handle for found in present for one in found}
        hidden = self._blocks.hidden(handle, checked)
        lefts = self._store.run_all(self._chat_connections.detach(chat, connection) for chat in chats)
        notified = {one.handle for left in lefts if left.last for one in left.connections}
        hidden |= self._blocks.hidden(handle, notified - checked)
        return [
            notice
            for chat, left in zip(chats, lefts, strict=True)
            for notice in self.gone(chat, left, [one for one in left.connections if one.handle not in hidden])
        ]

    def shown(self, handle: str, connections: Sequence[ChatConnection]) -> list[ChatConnection]:
        """Return the connections of users with whom a user has no block either way, in one round trip."""
        hidden = self._blocks.hidden(handle, {one.handle for one in connections})
        return [one for one in connections if one.handle not in hidden]

    def entered(self, chat: str, handle: str, connections: Iterable[ChatConnection]) -> list[AddressedFrame]:
        """Return the notice that a user has entered; empty outside rooms, and for too many connections."""
        return self._notice(chat, "entered", handle, ENTERED, connections)

    def gone(self, chat: str, left: Left, connections: Iterable[ChatConnection]) -> list[AddressedFrame]:
        """Return the notice that a user's last connection has left; see entered."""
        return self._notice(chat, "gone", left.handle, GONE, connections) if left.last else []

    def _notice(
        self,
        chat: str,
        event: RoomEvent,
        handle: str,
        notice: str,
        connections: Iterable[ChatConnection],
    ) -> list[AddressedFrame]:
        recipients = [Recipient(one.connection, one.protobuf) for one in connections]
        if not 0 < len(recipients) <= self._most_notified or kind_of(chat) != "room":
            return []
        frame = RoomFrame(room=bare(chat), chat=chat, event=event, user=handle, notice=notice)
        return [AddressedFrame(recipients, frame)]


def bare(chat: str) -> str:
    """Return a room's id without its prefix."""
    return chat.removeprefix(ROOM_PREFIX)
