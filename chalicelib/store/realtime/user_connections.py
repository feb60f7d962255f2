"""The connections of users, and the connections that watch their presence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from chalicelib.store import keys
from chalicelib.store.realtime.connection_results import (
    ConnectAttempt,
    ConnectOutcome,
    DueConnections,
    PresenceChange,
    Recipient,
    ShownPresence,
    WatchedPresence,
    recipients_of,
)
from chalicelib.store.redis.query import Batch, Query, UserBatch, in_one_dict, in_one_list, of_users
from chalicelib.store.redis.scripts import Script

ADD_CONNECTION = Script("realtime/add_connection")
MARK_READY = Script("realtime/mark_ready")
RENEW_CONNECTION = Script("realtime/renew_connection", spares_writes=True)
DROP_CONNECTION = Script("realtime/drop_connection")
END_CONNECTIONS = Script("realtime/end_connections")
READ_PRESENCE = Script("realtime/read_presence")
WATCH_USER = Script("realtime/watch_user")
READ_WATCHER = Script("realtime/read_watcher")
READ_READY_CONNECTIONS = Script("realtime/read_ready_connections")
READ_CONNECTIONS_BY_USER = Script("realtime/read_connections_by_user")
READ_EXPIRED_LEASES = Script("realtime/read_expired_leases")

TICKET_SECONDS = 30
MAX_CONNECTIONS = 100  # of a user
MAX_WATCHERS = 10_000
"""Maximum number of connections that watch a user; a further one reads the presence, and gets no changes."""
PROTOBUF = 2
"""The flag of a connection that reads protobuf; see lua/parts/recipients.lua."""
NAMED = b"\0"
"""Instead of a session's digest: authenticated by a name alone, while the name has no account."""


class UserConnections:
    """The connections of each user. Their keys, in the partition of the user, `{u<NNN>}` (see store/keys.py):

    `{u<NNN>}:connections:<handle>`: HASH, no expiry: connection -> 8 bytes of when it expires (µs,
        big-endian), a byte of flags (1: ready, it has said hello; 2: protobuf), the digest of its session's
        token (32 bytes; NAMED; a signed identity's mark, 17 bytes, whose end ends the lease; or none).
    `{u<NNN>}:leases`: ZSET, no expiry, one a partition: `<handle>\\0<connection>` -> when it expires, µs.
    `{u<NNN>}:seen:<handle>`: STRING, no expiry: when the last ready connection went, µs.
    `{u<NNN>}:ticket:<handle>:<digest>`: STRING, expires with the ticket: a byte with the length of the
        session's digest, the digest, the room. The digest in the key is the ticket's, in hexadecimal.
    `{u<NNN>}:watchers:<handle>`: HASH, expires a lease after its last write: connection -> 8 bytes of when
        it expires, a byte of flags (2: protobuf), the handle of the watcher.

    An expired connection counts as ended everywhere, and is kept until `drop`. A lease that a wrong clock
    made too long counts until the sweep shortens it.

    lease: µs of a connection's lease from its renewal.
    """

    def __init__(self, lease: int) -> None:
        self._lease = lease

    def ticket(self, handle: str, digest: bytes, session: bytes, room: str | None) -> Query[object]:
        """Return the query that stores a ticket for one connection.

        digest: Of the ticket. session: Digest of the token of the ticket's session; NAMED; empty: no session.
        """
        held = bytes([len(session)]) + session + (room or "").encode()
        return Query("SET", (keys.ticket(handle, digest.hex()),), (held, "EX", TICKET_SECONDS))

    def connect(
        self, handle: str, ticket: bytes | None, session: bytes, connection: str, *, protobuf: bool
    ) -> Query[ConnectAttempt]:
        """Return the query that adds a connection, not ready yet, by a ticket or by a session.

        ticket: Its digest; the query deletes the ticket, and so is not repeatable. session: Used without a
        ticket: digest of the session's token; NAMED: a name alone; empty: authenticated elsewhere.
        """
        named = [keys.user(handle), keys.sessions(handle), keys.user_connections(handle), keys.leases(handle)]
        if ticket is not None:
            named.append(keys.ticket(handle, ticket.hex()))
        flags, lives = PROTOBUF * protobuf, TICKET_SECONDS * 1000
        args = (handle, connection, flags, self._lease, MAX_CONNECTIONS, session, lives)
        return Query(ADD_CONNECTION, tuple(named), args, _entry, repeatable=ticket is None)

    def ready(self, handle: str, connection: str) -> Query[PresenceChange | None]:
        """Return the query that makes a connection ready; None: it or its session has ended."""
        named = (*_keys(handle), keys.sessions(handle))
        args = (handle, connection, self._lease)
        return Query(MARK_READY, named, args, lambda reply: _changed(reply) if reply else None)

    def renew(self, handle: str, connection: str) -> Query[bool]:
        """Return the query that renews a connection; False: it or its session has ended: drop it."""
        named = (keys.user(handle), keys.sessions(handle), keys.user_connections(handle), keys.leases(handle))
        return Query(RENEW_CONNECTION, named, (handle, connection, self._lease), bool)

    def drop(self, handle: str, connection: str) -> Query[PresenceChange]:
        """Return the query that removes a connection; idempotent."""
        return Query(DROP_CONNECTION, _keys(handle), (handle, connection), _changed)

    def drop_session(self, handle: str, session: bytes, keep: bytes = b"") -> Query[list[Recipient]]:
        """Return the query that ends connections for good; the caller drops each, or else the sweep does.

        session: Prefix of the digest of their session's token; empty: all sessions. keep: Digest of the token
        of a session whose connections stay.
        """
        named = (keys.user_connections(handle), keys.leases(handle))
        return Query(END_CONNECTIONS, named, (handle, session, keep), lambda reply: recipients_of(*reply))

    def of(self, handle: str, reader: str) -> Query[ShownPresence | None]:
        """Return the query for whether a user is online; None: there is no account and no connection.

        reader: Handle of the reader; to a reader whom the user blocks, the user was never online.
        """
        return Query(READ_PRESENCE, _shown_keys(handle), (reader,), _shown)

    def watch(
        self, handle: str, connection: str, watcher: str, *, protobuf: bool
    ) -> Query[ShownPresence | None]:
        """Return the query that makes a connection watch a user for a lease, and returns the presence.

        watcher: Handle of the watcher, see `of`. Another call renews the lease.
        """
        named = (*_shown_keys(handle), keys.watchers(handle))
        args = (watcher, connection, PROTOBUF * protobuf, self._lease, MAX_WATCHERS)
        return Query(WATCH_USER, named, args, _shown)

    def watching(self, handle: str, watcher: str) -> Query[WatchedPresence | None]:
        """Return the query for a user's presence as a watcher sees it, with the watcher's connections.

        None: there is no account and no connection.
        """
        return Query(READ_WATCHER, (*_shown_keys(handle), keys.watchers(handle)), (watcher,), _watched)

    def unwatch(self, handle: str, connection: str) -> Query[bool]:
        """Return the query after which a connection no longer watches a user."""
        return Query("HDEL", (keys.watchers(handle),), (connection,), bool)

    def recipients(self, handles: Iterable[str]) -> UserBatch[list[Recipient]]:
        """Return the batch for the ready connections of users who are not deleted."""
        return of_users(handles, 2, _recipients, in_one_list)

    def by_user(self, handles: Iterable[str]) -> UserBatch[dict[str, list[Recipient]]]:
        """Return the batch for the ready connections of users who are not deleted, by handle.

        Users without connections are left out.
        """
        return of_users(handles, 2, _by_user, in_one_dict)

    def due(self, limit: int) -> Batch[DueConnections]:
        """Return the batch for the connections that the sweep must end or shorten.

        limit: Maximum number of connections of each kind and partition.
        """
        args = (limit, self._lease)
        return Batch(
            [Query(READ_EXPIRED_LEASES, (key,), args, _due) for key in keys.all_of(keys.leases)], _all_due
        )


def _keys(handle: str) -> tuple[str, ...]:
    kinds = (keys.user, keys.user_connections, keys.last_seen, keys.leases, keys.watchers, keys.blocked)
    return tuple(key(handle) for key in kinds)


def _shown_keys(handle: str) -> tuple[str, ...]:
    return keys.user(handle), keys.user_connections(handle), keys.last_seen(handle), keys.blocked(handle)


def _recipients(handles: Sequence[str]) -> Query[list[Recipient]]:
    named = tuple(key(handle) for handle in handles for key in (keys.user, keys.user_connections))
    return Query(READ_READY_CONNECTIONS, named, (), lambda reply: recipients_of(*reply))


def _by_user(handles: Sequence[str]) -> Query[dict[str, list[Recipient]]]:
    def read(reply: list[Any]) -> dict[str, list[Recipient]]:
        each = zip(reply[::3], reply[1::3], reply[2::3], strict=True)
        return {handles[place - 1]: recipients_of(json, protobuf) for place, json, protobuf in each}

    named = tuple(key(handle) for handle in handles for key in (keys.user, keys.user_connections))
    return Query(READ_CONNECTIONS_BY_USER, named, (), read)


def _entry(reply: list[Any]) -> ConnectAttempt:
    outcome, session, room = reply
    return ConnectAttempt(ConnectOutcome(outcome), session, room.decode() or None)


def _changed(reply: list[Any]) -> PresenceChange:
    changed, seen, json, protobuf = reply
    return PresenceChange(bool(changed), seen, recipients_of(json, protobuf))


def _shown(reply: list[int]) -> ShownPresence | None:
    return ShownPresence(bool(reply[0]), reply[1]) if reply else None


def _watched(reply: list[Any]) -> WatchedPresence | None:
    return (
        WatchedPresence(ShownPresence(bool(reply[0]), reply[1]), recipients_of(*reply[2:])) if reply else None
    )


def _due(reply: list[Any]) -> DueConnections:
    expired, too_long = reply
    return DueConnections(_leases(expired), _leases(too_long))


def _all_due(parts: list[DueConnections]) -> DueConnections:
    expired = [one for part in parts for one in part.expired]
    return DueConnections(expired, [one for part in parts for one in part.too_long])


def _leases(reply: Sequence[bytes]) -> list[tuple[str, str]]:
    parts = [member.decode().partition("\0") for member in reply]
    return [(handle, connection) for handle, _, connection in parts]
