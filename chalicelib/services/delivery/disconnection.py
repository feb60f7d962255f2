"""The clean-up after a connection that has ended."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from chalicelib.services.delivery.connection_stores import ConnectionStores
from chalicelib.services.delivery.frame_push import AddressedFrame, FramePush
from chalicelib.services.delivery.presence_notices import presence_change
from chalicelib.services.delivery.room_notices import RoomNotices
from chalicelib.store.realtime.connection import Attachments


class Disconnection:
    """Removes an ended connection from chats, watchers and its user, and notifies rooms and watchers."""

    def __init__(self, stores: ConnectionStores, rooms: RoomNotices, frames: FramePush) -> None:
        self._store, self._connections, self._user_connections, _ = stores
        self._rooms = rooms
        self._frames = frames

    def disconnect(self, connection: str) -> None:
        """Clean up after an ended connection, and after others that its notices find ended; idempotent."""
        waiting = deque([connection])
        while waiting:
            waiting.extend(self._end(waiting.popleft()))

    def _end(self, connection: str) -> list[str]:
        """Clean up after a connection, and return the connections that its notices found ended.

        The user's lease is removed last: if the clean-up stops before, the sweep repeats it.
        """
        held = self._store.run(self._connections.attachments(connection))
        if held is None:
            return []
        gone = self._detach(connection, held)
        late = self._store.run(self._connections.forget(connection))
        if late is not None and late != held:
            gone += self._detach(connection, late)
        change = self._store.run(self._user_connections.drop(held.handle, connection))
        return gone + self._notify(presence_change(held.handle, change, online=False))

    def _detach(self, connection: str, held: Attachments) -> list[str]:
        self._store.run_all(self._user_connections.unwatch(handle, connection) for handle in held.watched)
        return self._notify(self._rooms.detach(connection, held.handle, held.chats))

    def _notify(self, notices: Sequence[AddressedFrame]) -> list[str]:
        return [one for notice in notices for one in self._frames.send([notice]).gone]
