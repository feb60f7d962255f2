"""The first frame of a client: registers its connection, and sends it the changes that it has missed."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.errors import session_ended
from chalicelib.schemas.realtime import Hello, Ready, SyncFrame
from chalicelib.services.delivery.codec import rows_bytes
from chalicelib.services.delivery.connection_stores import ConnectionStores
from chalicelib.services.delivery.frame_push import answer
from chalicelib.services.delivery.presence_notices import presence_change
from chalicelib.services.delivery.push import PushService
from chalicelib.services.inbox.history_check import NOTHING_LOST, HistoryCheck, Lost
from chalicelib.services.inbox.sync import ROWS_OF_A_REQUEST, SyncService
from chalicelib.services.inbox.unread import UnreadService
from chalicelib.services.realtime.dispatch import Connection
from chalicelib.services.realtime.rooms import RoomService
from chalicelib.store.inbox.entries import ActivePage
from chalicelib.store.inbox.index import Inboxes

MAX_FRAMES = 10
"""Maximum number of `sync` frames that answer one hello; then the client sends hello again."""
ROWS = 100


class HelloService:
    """Answers `hello`."""

    def __init__(
        self,
        stores: ConnectionStores,
        inboxes: Inboxes,
        sync: SyncService,
        push: PushService,
        rooms: RoomService,
        history_check: HistoryCheck,
        unread: UnreadService,
    ) -> None:
        self._store, self._connections, self._user_connections, self._chat_connections = stores
        self._inboxes = inboxes
        self._sync = sync
        self._push = push
        self._rooms = rooms
        self._history_check = history_check
        self._unread = unread

    def hello(self, connection: Connection, frame: Hello) -> None:
        """Register a connection for pushes, and then send the changes and losses that it has missed.

        Raises ConnectionEnded, BadRequest, and for the ticket's room the errors of RoomService.enter.
        """
        held = self._history_check.parse(connection.handle, frame.check)
        active = self._register(connection)
        self._send_missed(connection, frame, self._history_check.check(connection.caller, held))
        unread = self._unread.counted(connection.handle, active)
        ready = Ready(user=connection.handle, connection=connection.id, unread=unread, ref=frame.ref)
        self._push.send(answer(connection.recipient, ready))
        if connection.room is not None:
            self._rooms.enter(connection, connection.room)

    def _register(self, connection: Connection) -> ActivePage:
        """Register a connection for pushes; return the chats whose unread messages `ready` counts."""
        active: ActivePage
        changed, large, active = self._store.run_all(
            (
                self._user_connections.ready(connection.handle, connection.id),
                self._inboxes.large(connection.handle),
                self._unread.chats(connection.handle),
            )
        )
        if changed is None:
            raise session_ended()
        self._attach(connection, large)
        connection.caller.charge(len(large) // ROWS_OF_A_REQUEST + self._unread.cost(active))
        self._push.send(*presence_change(connection.handle, changed, online=True))
        return active

    def _send_missed(self, connection: Connection, frame: Hello, lost: Lost) -> None:
        version, most = frame.version, rows_bytes(connection.protobuf)
        for left in reversed(range(MAX_FRAMES)):
            page = self._sync.page(connection.caller, version, ROWS, most=most - lost.size, field="version")
            version = page.next
            if left and page.more and not (page.chats or page.reset or any(lost)):
                continue
            synced = SyncFrame(
                chats=page.chats,
                version=version,
                more=page.more,
                reset=page.reset,
                history_changed=lost.history_changed,
                unreadable=lost.unreadable,
                ref=frame.ref,
            )
            self._push.send(answer(connection.recipient, synced))
            if not page.more:
                return
            lost = NOTHING_LOST

    def _attach(self, connection: Connection, chats: Sequence[str]) -> None:
        """Attach a connection to large chats, whose messages are not written to inboxes."""
        if not chats:
            return
        handle, protobuf = connection.handle, connection.protobuf
        attaching = [
            self._chat_connections.attach(chat, handle, connection.id, joined=False, protobuf=protobuf)
            for chat in chats
        ]
        self._store.run_all([self._connections.attach(connection.id, *chats), *attaching])
