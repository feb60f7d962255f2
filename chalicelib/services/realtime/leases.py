"""Leases: frames renew a connection's lease; the sweep ends expired ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from chalicelib.errors import lease_over
from chalicelib.logs import log_failures
from chalicelib.push_gateway.pusher import LEASE_EXPIRED
from chalicelib.services.delivery.presence_notices import presence_change
from chalicelib.services.delivery.push import PushService
from chalicelib.services.realtime.dispatch import Connection
from chalicelib.store.realtime.chat_connections import ChatConnections
from chalicelib.store.realtime.connection import Attachments, Connections
from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query

SWEPT_OF_PARTITION = 40
"""Maximum number of connections of each of the 256 partitions that one sweep ends."""


class Holder(NamedTuple):
    """A connection and its user; protobuf: Whether it reads protobuf instead of JSON."""

    handle: str
    connection: str
    protobuf: bool


class Leases:
    """Renews a connection's leases in other slots, and ends connections whose leases have expired.

    disconnect: Cleans up after a connection, by its id; idempotent.
    """

    def __init__(
        self,
        store: Store,
        connections: Connections,
        user_connections: UserConnections,
        chat_connections: ChatConnections,
        push: PushService,
        disconnect: Callable[[str], None],
    ) -> None:
        self._store = store
        self._connections = connections
        self._user_connections = user_connections
        self._chat_connections = chat_connections
        self._push = push
        self._disconnect = disconnect

    def renew(self, connection: Connection) -> bool:
        """Renew a connection's lease with its user, its chats and the users that it watches.

        Takes two round trips, one more for each 100 chats and users, and two more to attach it again to a
        chat that has lost it. Returns False after cleaning up a connection that has ended, or whose session
        has ended.
        """
        attached = self._store.run(self._connections.attachments(connection.id))
        holder = Holder(connection.handle, connection.id, connection.protobuf)
        if attached is None or not self._renewed(holder, attached):
            self._disconnect(connection.id)
            return False
        return True

    def sweep(self) -> int:
        """Notify and close the connections whose leases have expired; return their number.

        A lease that ends later than any lease given now is left by a clock that has fallen back: its
        connection gets a lease from now. Takes three round trips to find at most SWEPT_OF_PARTITION
        connections of each kind, then about seven for each connection. A failure is logged, does not stop the
        others, and is repeated by the next sweep. Raises StoreUnavailable: the leases cannot be read.
        """
        due = self._store.run(self._user_connections.due(SWEPT_OF_PARTITION))
        work = [(self._end, one) for one in due.expired]
        work += [(self._shorten, one) for one in due.too_long]
        ended, failures = list[Recipient](), list[tuple[dict[str, Any], Exception]]()
        for act, (handle, connection) in work:
            try:
                ended += act(handle, connection)
            except Exception as failure:
                failures.append(({"connection": connection}, failure))
        self._push.end(ended, lease_over(), reason=LEASE_EXPIRED)
        log_failures("lease_not_ended", failures)
        return len(ended)

    def _renewed(self, holder: Holder, attached: Attachments) -> bool:
        handle, connection = holder.handle, holder.connection
        chats = [self._chat_connections.renew(chat, connection) for chat in attached.chats]
        watched = [
            self._user_connections.watch(name, connection, handle, protobuf=holder.protobuf)
            for name in attached.watched
        ]
        queries: list[Query[Any]] = [self._user_connections.renew(handle, connection), *chats, *watched]
        alive, *held = self._store.run_all(queries)
        if alive:
            self._attach_again(
                holder, [chat for chat, there in zip(attached.chats, held, strict=False) if not there]
            )
        return bool(alive)

    def _attach_again(self, holder: Holder, chats: Sequence[str]) -> None:
        """Attach a connection to chats that have lost it, and detach it from chats that its user has left."""
        handle, connection, protobuf = holder
        held = self._store.run_all(
            self._chat_connections.attach(chat, handle, connection, joined=False, protobuf=protobuf)
            for chat in chats
        )
        self._store.run_all(
            self._connections.detach(connection, chat)
            for chat, joined in zip(chats, held, strict=True)
            if joined is None
        )

    def _shorten(self, handle: str, connection: str) -> list[Recipient]:
        """Give a connection a lease from now in all slots; end it if it may not stay open."""
        attached, protobuf = self._store.run_both(
            self._connections.attachments(connection), self._connections.takes_protobuf(connection)
        )
        if attached is not None and self._renewed(Holder(handle, connection, protobuf), attached):
            return []
        return self._end(handle, connection)

    def _end(self, handle: str, connection: str) -> list[Recipient]:
        """End a connection, even one that its own slot has lost; return it as a recipient of the reason."""
        protobuf = self._store.run(self._connections.takes_protobuf(connection))
        self._disconnect(connection)
        changed = self._store.run(self._user_connections.drop(handle, connection))
        self._push.send(*presence_change(handle, changed, online=False))
        return [Recipient(connection, protobuf)]
