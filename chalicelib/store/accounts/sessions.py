"""Sessions: the logins of users on their devices."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from chalicelib.store import keys
from chalicelib.store.accounts.rate_limits import Rate, rate_of
from chalicelib.store.redis.query import Batch, Query, concatenated
from chalicelib.store.redis.scripts import Script
from chalicelib.texts import plain

ADD_SESSION = Script("accounts/add_session")
AUTHENTICATE = Script("accounts/authenticate", spares_writes=True)
END_SESSIONS = Script("accounts/end_sessions")
READ_EXPIRED_SESSIONS = Script("accounts/read_expired_sessions")
DROP_EXPIRED_SESSIONS = Script("accounts/drop_expired_sessions")

HOUR = 3600 * 1_000_000
DAY = 24 * HOUR
MAX_SESSIONS = 100
TIMES = 24
"""Bytes of a record before the details."""
ID_BYTES = 8
AGENT_CHARACTERS = 256


class Details(msgspec.Struct, array_like=True, frozen=True):
    """Where a session was used last: the address, and what the client calls itself."""

    address: str = ""
    agent: str = ""


def details_of(address: str, agent: str) -> Details:
    """Return the details to keep; agent: as the client sent it, of which 256 characters are kept.

    A character that a line cannot hold becomes U+FFFD: the user's other devices show the line.
    """
    return Details(address, plain(agent[:AGENT_CHARACTERS]))


class SessionInfo(NamedTuple):
    """A session as its user sees it: 16 hexadecimal digits, times in µs since 1970, and where."""

    id: str
    made: int
    seen: int
    expires: int
    details: Details


class Credential(NamedTuple):
    """What a caller shows: a token's digest, or that of a signed identity and when it was signed, µs."""

    handle: str
    digest: bytes = b""
    identity: bytes = b""
    signed: int = 0


class Sessions:
    """The sessions of a user. Their keys, in the user's partition:

    `{u<NNN>}:sessions:<handle>`: HASH, no expiry: a full store would evict it. One field a session: the
        SHA-256 of its token -> 8 bytes each of when it was made, was last seen (to the hour) and expires
        (µs, big-endian), then the msgpack array [address, agent]. The token itself is nowhere. Earlier
        versions let the key expire; a login, and the hourly writing of a session's use, take that back.
    `{u<NNN>}:session_ends`: ZSET, no expiry, one a partition: handle -> when the first of the user's
        sessions may have expired, µs; never later than one has.

    idle, longest: µs that a session lives unused, and at most. slide: µs between two writings of its use.
    """

    def __init__(self, idle: int = 30 * DAY, longest: int = 90 * DAY, slide: int = HOUR) -> None:
        self._idle = idle
        self._longest = longest
        self._slide = slide

    def add(self, handle: str, held: str, digest: bytes, details: Details, rehash: str = "") -> Query[int]:
        """Return the query that begins a session, if the account's password is still the one held.

        held: argon2's hash. rehash: the same password by today's parameters. The result is when the session
        expires, µs since 1970; 0: the password is another by now.
        """
        args = (held, rehash, digest, _pack(details), self._idle, self._longest, MAX_SESSIONS, handle)
        named = (*_keys(handle), keys.session_ends(handle))
        return Query(ADD_SESSION, named, args, repeatable=False)

    def authenticate(
        self, shown: Credential, kind: str, limit: int, details: Details, cost: int = 1
    ) -> Query[Rate | None]:
        """Return the query that authenticates a caller and takes a request from their limits; None: refused.

        kind: the class of the route. limit: requests a minute of it; 0: no limit. cost: as how many requests
        it counts, at least 1.
        """
        args = (shown.digest, shown.identity, shown.signed, kind, limit, _pack(details))
        named = (*_keys(shown.handle), keys.user_limits(shown.handle), keys.session_ends(shown.handle))
        rest = (self._idle, self._longest, self._slide, cost, shown.handle)
        return Query(
            AUTHENTICATE, named, (*args, *rest), lambda reply: rate_of(limit, reply) if reply[0] else None
        )

    def of(self, handle: str) -> Query[list[SessionInfo]]:
        """Return the query for a user's sessions, expired ones included, the one used last first."""
        return Query("HGETALL", (keys.sessions(handle),), read=_sessions)

    def end(self, handle: str, session: str) -> Query[bool]:
        """Return the query that ends one session; False: there was none of that id."""
        return _ending(handle, bytes.fromhex(session), signed=False)

    def end_all(self, handle: str, made: int = 0) -> Query[bool]:
        """Return the query that ends every session of a user, and all identities signed for them until now.

        made: when the token of the caller was made, µs: by a clock that is ahead it may be after now.
        """
        return _ending(handle, b"", signed=True, made=made)

    def expired(self, most: int) -> Batch[list[str]]:
        """Return the batch for the users who may have expired sessions.

        most: Maximum number of users of each partition.
        """
        return concatenated(
            [Query(READ_EXPIRED_SESSIONS, (key,), (most,), _texts) for key in keys.all_of(keys.session_ends)]
        )

    def drop_expired(self, handle: str) -> Query[int]:
        """Return the query that drops a user's expired sessions; its result is their number."""
        return Query(DROP_EXPIRED_SESSIONS, (keys.sessions(handle), keys.session_ends(handle)), (handle,))


def id_of(digest: bytes) -> str:
    """Return the id of the session whose token has a digest."""
    return digest[:ID_BYTES].hex()


def _keys(handle: str) -> tuple[str, str]:
    return keys.user(handle), keys.sessions(handle)


def _ending(handle: str, prefix: bytes, *, signed: bool, made: int = 0) -> Query[bool]:
    return Query(END_SESSIONS, _keys(handle), (prefix, int(signed), made), bool)


def _texts(reply: list[bytes]) -> list[str]:
    return [handle.decode() for handle in reply]


def _pack(details: Details) -> bytes:
    return msgspec.msgpack.encode(details)


def _sessions(flat: list[bytes]) -> list[SessionInfo]:
    found = [_session(digest, record) for digest, record in zip(flat[::2], flat[1::2], strict=True)]
    return sorted(found, key=lambda session: session.seen, reverse=True)


def _session(digest: bytes, record: bytes) -> SessionInfo:
    made, seen, expires = (int.from_bytes(record[at : at + 8]) for at in (0, 8, 16))
    details = msgspec.msgpack.decode(record[TIMES:], type=Details)
    return SessionInfo(id_of(digest), made, seen, expires, details)
