"""Connections on a store, made and read in one call, and aged by hand, byte by byte as documented."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chalicelib.store import keys
from chalicelib.store.realtime.connection_results import ConnectOutcome, PresenceChange, ShownPresence
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store
from tests.servers.engines import Engine
from tests.store.account_records import HOUR, clock
from tests.store.log_records import RawClient

LEASE = HOUR
SESSION, OTHER_SESSION = b"s" * 32, b"t" * 32
TICKET = b"k" * 32


@contextmanager
def without_memory(engine: Engine) -> Iterator[None]:
    """Make the store full."""
    for node in engine.nodes:
        node.config_set("maxmemory", 1)
    try:
        yield
    finally:
        for node in engine.nodes:
            node.config_set("maxmemory", 0)


class People:
    """Users who connect; ann by default."""

    def __init__(self, store: Store, raw: RawClient) -> None:
        self.store, self.raw = store, raw
        self.connections = UserConnections(LEASE)

    def connect(self, connection: str, handle: str = "ann", session: bytes = b"") -> ConnectOutcome:
        """Connect by a session, or by name alone."""
        query = self.connections.connect(handle, None, session, connection, protobuf=False)
        return self.store.run(query).outcome

    def ready(self, connection: str, handle: str = "ann") -> PresenceChange | None:
        """Say hello."""
        return self.store.run(self.connections.ready(handle, connection))

    def come(self, connection: str, handle: str = "ann", session: bytes = b"") -> bool:
        """Connect and say hello; return whether the user went online."""
        assert self.connect(connection, handle, session) is ConnectOutcome.OK
        changed = self.ready(connection, handle)
        assert changed is not None
        return changed.changed

    def drop(self, connection: str, handle: str = "ann") -> PresenceChange:
        """Remove a connection."""
        return self.store.run(self.connections.drop(handle, connection))

    def shown(self, handle: str = "ann", reader: str = "bob") -> ShownPresence | None:
        """Return how a reader sees the user."""
        return self.store.run(self.connections.of(handle, reader))

    def online(self, handle: str = "ann") -> bool:
        """Return whether a user is shown as online."""
        shown = self.shown(handle)
        return shown is not None and shown.online

    def recipients(self, *handles: str) -> list[str]:
        """Return the ready connections of users."""
        return sorted(
            recipient.connection for recipient in self.store.run(self.connections.recipients(handles))
        )

    def expired(self, limit: int = 100) -> list[tuple[str, str]]:
        """Return the expired connections that the sweep would find."""
        return self.store.run(self.connections.due(limit)).expired

    def too_long(self) -> list[tuple[str, str]]:
        """Return the connections whose leases the sweep would shorten."""
        return self.store.run(self.connections.due(100)).too_long

    def leases(self) -> dict[str, int]:
        """Return the expiry of every lease in ann's partition."""
        held: Any = self.raw.zrange(keys.leases("ann"), 0, -1, withscores=True)
        return {member.decode(): int(score) for member, score in held}

    def age(self, connection: str, handle: str = "ann", by: int = 2 * LEASE) -> int:
        """Age a connection as if it had not been renewed for some time; return its expiry."""
        held: Any = self.raw.hget(keys.user_connections(handle), connection)
        expiry = int.from_bytes(held[:8]) - by
        aged: Any = expiry.to_bytes(8) + held[8:]
        self.raw.hset(keys.user_connections(handle), connection, aged)
        self.raw.zadd(keys.leases(handle), {f"{handle}\0{connection}": expiry})
        return expiry

    def age_watcher(self, connection: str, handle: str = "ann") -> None:
        """Age a watcher as if it had not been renewed for long."""
        held: Any = self.raw.hget(keys.watchers(handle), connection)
        aged: Any = (1).to_bytes(8) + held[8:]
        self.raw.hset(keys.watchers(handle), connection, aged)

    def block(self, other: str, handle: str = "ann") -> None:
        """Have a user block another."""
        self.raw.zadd(keys.blocked(handle), {other: clock(self.raw)})
