"""Leases: a connection lives while it says something, and who vanished is missed all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.delivery import SILENT
from chalicelib.errors import lease_over
from chalicelib.logs import log_failures
from chalicelib.services.realtime.frames import Session
from chalicelib.services.realtime.presence import PresenceService
from chalicelib.services.realtime.pushing import Pushing
from chalicelib.store.client import Query, Store
from chalicelib.store.clients import Clients
from chalicelib.store.presence import Presence, Target
from chalicelib.store.sockets import Attached, Sockets

SWEPT_OF_PARTITION = 40
"""Connections of each of the 256 partitions that one sweep ends at the most."""


class Leases:
    """Renews what other slots hold of a connection, and ends the connections that were not renewed.

    disconnect: clears up after a connection, by its id, as `$disconnect` does; again is fine.
    """

    def __init__(
        self,
        store: Store,
        sockets: Sockets,
        presence: Presence,
        clients: Clients,
        pushing: Pushing,
        watchers: PresenceService,
        disconnect: Callable[[str], None],
    ) -> None:
        self._store = store
        self._sockets = sockets
        self._presence = presence
        self._clients = clients
        self._pushing = pushing
        self._watchers = watchers
        self._disconnect = disconnect

    def renew(self, session: Session) -> bool:
        """Renew a connection with its user, in each chat it is attached to, and with each user it watches.

        Two trips, one more for each 100 of those, and two when a chat has lost it, to which it is attached
        again. Returns False when it may not go on: it is gone, or its session has ended, and was cleared up.
        """
        attached = self._store.fetch(self._sockets.attachments(session.connection))
        if attached is None or not self._renewed(session, attached):
            self._disconnect(session.connection)
            return False
        return True

    def sweep(self) -> int:
        """End the connections whose lease is over, say so and close them; returns how many those were.

        Three trips to find them, SWEPT_OF_PARTITION of each at the most, then about seven for each. What
        fails is logged, holds up no other, and is found again. Raises StoreUnavailable: the leases cannot be
        read.
        """
        parts: list[list[tuple[str, str]]]
        parts = self._store.fetch_all(self._presence.expired(SWEPT_OF_PARTITION))
        expired = [one for part in parts for one in part]
        ended, failures = [], list[tuple[dict[str, Any], Exception]]()
        for handle, connection in expired:
            try:
                ended.append(self._end(handle, connection))
            except Exception as failure:
                failures.append(({"connection": connection}, failure))
        self._pushing.end(ended, lease_over(), ending=SILENT)
        log_failures("lease_owed", failures)
        return len(ended)

    def _renewed(self, session: Session, attached: Attached) -> bool:
        handle, connection = session.handle, session.connection
        chats = [self._clients.renewing(chat, connection) for chat in attached.chats]
        watched = [
            self._presence.watch(name, connection, handle, protobuf=session.protobuf)
            for name in attached.watched
        ]
        queries: list[Query[Any]] = [self._presence.renew(handle, connection), *chats, *watched]
        alive, *held = self._store.fetch_all(queries)
        if alive:
            self._attach_again(
                session, [chat for chat, there in zip(attached.chats, held, strict=False) if not there]
            )
        return bool(alive)

    def _attach_again(self, session: Session, chats: Sequence[str]) -> None:
        """Attach a connection to chats that have lost it; strike off those that its user has left."""
        handle, connection, protobuf = session.handle, session.connection, session.protobuf
        held = self._store.fetch_all(
            self._clients.attach(chat, handle, connection, joined=False, protobuf=protobuf) for chat in chats
        )
        self._store.fetch_all(
            self._sockets.detach(connection, chat)
            for chat, joined in zip(chats, held, strict=True)
            if joined is None
        )

    def _end(self, handle: str, connection: str) -> Target:
        """End a connection, of which its own slot may know nothing any more; return how to tell it."""
        protobuf = self._store.fetch(self._sockets.takes_protobuf(connection))
        self._disconnect(connection)
        changed = self._store.fetch(self._presence.drop(handle, connection))
        self._watchers.tell(handle, changed, online=False)
        return Target(connection, protobuf)
