"""Sessions: the logins of users on their devices."""

from __future__ import annotations

import functools
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
"""Number of bytes in a record before the details."""
ID_BYTES = 8
KEPT_DETAILS = 1024
"""Number of clients whose details are not encoded again."""
AGENT_CHARACTERS = 256


class Details(msgspec.Struct, array_like=True, frozen=True):
    """The address and the User-Agent of a session's last use."""

    address: str = ""
    agent: str = ""


def details_of(address: str, agent: str) -> Details:
    """Return the details to store; agent: As the client sent it; 256 characters are stored.

    A character that is not allowed in a line becomes U+FFFD, as the user's other devices show the line.
    """
    return _details_of(address, agent[:AGENT_CHARACTERS])


@functools.lru_cache(KEPT_DETAILS)
def _details_of(address: str, agent: str) -> Details:
    return Details(address, plain(agent))


class SessionInfo(NamedTuple):
    """A session as its user sees it: an id of 16 hexadecimal digits, times in µs since 1970, and details."""

    id: str
    made: int
    seen: int
    expires: int
    details: Details


class Credential(NamedTuple):
    """The digest of a caller's token, or of a signed identity with the time of its signing, µs."""

    handle: str
    digest: bytes = b""
    identity: bytes = b""
    signed: int = 0


class Sessions:
    """The sessions of a user. Their keys, in the user's partition:

    `{u<NNN>}:sessions:<handle>`: HASH, no expiry: a full store would evict it. One field a session: the
        SHA-256 of its token -> the times at which it was made, was last used (to the hour) and expires, 8
        bytes each (µs, big-endian), then the msgpack array [address, agent]. The token itself is not stored.
        Earlier versions let the key expire; a login, and the hourly record of a session's use, clear that.
    `{u<NNN>}:session_ends`: ZSET, no expiry, one a partition: handle -> time of the first expiry of the
        user's sessions, or an earlier time, µs.

    idle, longest: Lifetimes of a session, µs: unused, and at most. slide: µs between two records of its use.
    """

    def __init__(self, idle: int = 30 * DAY, longest: int = 90 * DAY, slide: int = HOUR) -> None:
        self._idle = idle
        self._longest = longest
        self._slide = slide

    def add(self, handle: str, held: str, digest: bytes, details: Details, rehash: str = "") -> Query[int]:
        """Return the query that begins a session, if the account still has the password.

        held: argon2's hash of the password. rehash: The same with the current parameters. The result is the
        time at which the session expires, µs since 1970; 0: the password has changed.
        """
        args = (held, rehash, digest, _pack(details), self._idle, self._longest, MAX_SESSIONS, handle)
        named = (*_keys(handle), keys.session_ends(handle))
        return Query(ADD_SESSION, named, args, repeatable=False)

    def authenticate(
        self, shown: Credential, kind: str, limit: int, details: Details, cost: int = 1
    ) -> Query[Rate | None]:
        """Return the query that authenticates a caller and counts the request; None: refused.

        kind: Class of the route. limit: Requests a minute of that class; 0: no limit. cost: Number of
        requests that it counts as, at least 1.
        """
        args = (shown.digest, shown.identity, shown.signed, kind, limit, _pack(details))
        named = (*_keys(shown.handle), keys.user_limits(shown.handle), keys.session_ends(shown.handle))
        rest = (self._idle, self._longest, self._slide, cost, shown.handle)
        return Query(
            AUTHENTICATE, named, (*args, *rest), lambda reply: rate_of(limit, reply) if reply[0] else None
        )

    def of(self, handle: str) -> Query[list[SessionInfo]]:
        """Return the query for a user's sessions, also expired ones, the last used first."""
        return Query("HGETALL", (keys.sessions(handle),), read=_sessions)

    def end(self, handle: str, session: str) -> Query[bool]:
        """Return the query that ends one session; False: no session has that id."""
        return _ending(handle, bytes.fromhex(session), signed=False)

    def end_all(self, handle: str, made: int = 0) -> Query[bool]:
        """Return the query that ends every session of a user, and all identities signed until now.

        made: Time at which the caller's token was made, µs; a clock that is ahead may have set it after now.
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


@functools.lru_cache(KEPT_DETAILS)
def _pack(details: Details) -> bytes:
    return msgspec.msgpack.encode(details)


def _sessions(flat: list[bytes]) -> list[SessionInfo]:
    found = [_session(digest, record) for digest, record in zip(flat[::2], flat[1::2], strict=True)]
    return sorted(found, key=lambda session: session.seen, reverse=True)


def _session(digest: bytes, record: bytes) -> SessionInfo:
    made, seen, expires = (int.from_bytes(record[at : at + 8]) for at in (0, 8, 16))
    details = msgspec.msgpack.decode(record[TIMES:], type=Details)
    return SessionInfo(id_of(digest), made, seen, expires, details)
