"""The first frame of a client: it is registered, then told what it has missed."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.errors import session_ended
from chalicelib.schemas.realtime import Hello, Ready, SyncFrame
from chalicelib.services.delivery.codec import rows_bytes
from chalicelib.services.delivery.connection_stores import Registry
from chalicelib.services.delivery.push import Pushing
from chalicelib.services.inbox.history_check import NOTHING_LOST, HistoryCheck, Lost
from chalicelib.services.inbox.sync import ROWS_OF_A_REQUEST, SyncService
from chalicelib.services.realtime.dispatch import Session
from chalicelib.services.realtime.presence import PresenceService
from chalicelib.services.realtime.rooms import Rooms
from chalicelib.store.inbox.index import Inboxes

MOST_FRAMES = 10
"""`sync` frames that answer one hello; then the client says hello again."""
ROWS = 100


class Greeting:
    """Answers `hello`."""

    def __init__(
        self,
        registry: Registry,
        inboxes: Inboxes,
        sync: SyncService,
        pushing: Pushing,
        watchers: PresenceService,
        rooms: Rooms,
        histories: HistoryCheck,
    ) -> None:
        self._store, self._connections, self._user_connections, self._chat_connections = registry
        self._inboxes = inboxes
        self._sync = sync
        self._pushing = pushing
        self._watchers = watchers
        self._rooms = rooms
        self._histories = histories

    def hello(self, session: Session, frame: Hello) -> None:
        """Register a connection, so that it is pushed to, and only then say what came before, and was lost.

        Raises ConnectionEnded, BadRequest; of the ticket's room what joining it raises.
        """
        held = self._histories.parse(session.handle, frame.check)
        self._register(session)
        self._tell_missed(session, frame, self._histories.check(session.caller, held))
        ready = Ready(user=session.handle, connection=session.connection, ref=frame.ref)
        self._pushing.reply(session.target, ready)
        if session.room is not None:
            self._rooms.enter(session, session.room)

    def _register(self, session: Session) -> None:
        changed, large = self._store.fetch_both(
            self._user_connections.ready(session.handle, session.connection),
            self._inboxes.large(session.handle),
        )
        if changed is None:
            raise session_ended()
        self._attach(session, large)
        session.caller.charge(len(large) // ROWS_OF_A_REQUEST)
        self._watchers.tell(session.handle, changed, online=True)

    def _tell_missed(self, session: Session, frame: Hello, lost: Lost) -> None:
        version, most = frame.version, rows_bytes(session.protobuf)
        for left in reversed(range(MOST_FRAMES)):
            page = self._sync.page(session.caller, version, ROWS, most=most - lost.size, field="version")
            version = page.next
            if left and page.more and not (page.chats or page.reset or any(lost)):
                continue
            told = SyncFrame(
                chats=page.chats,
                version=version,
                more=page.more,
                reset=page.reset,
                history_changed=lost.history_changed,
                unreadable=lost.unreadable,
                ref=frame.ref,
            )
            self._pushing.reply(session.target, told)
            if not page.more:
                return
            lost = NOTHING_LOST

    def _attach(self, session: Session, chats: Sequence[str]) -> None:
        """Have the messages of large chats, which are told to no inbox, pushed to a connection too."""
        if not chats:
            return
        handle, connection = session.handle, session.connection
        attaching = [
            self._chat_connections.attach(chat, handle, connection, joined=False, protobuf=session.protobuf)
            for chat in chats
        ]
        self._store.fetch_all([self._connections.attach(connection, *chats), *attaching])
