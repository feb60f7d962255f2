"""Accounts and sessions written by hand, byte by byte as documented."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.store import keys
from tests.store.log_records import RawClient, eight

HELD = "$argon2id$held"
MINUTE = 60 * 1_000_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def clock(raw: RawClient) -> int:
    """Return the store's own time, µs since 1970."""
    times: Any = raw.time()
    seconds, micros = next(iter(times.values())) if isinstance(times, dict) else times
    return int(seconds) * 1_000_000 + int(micros)


def write_account(raw: RawClient, handle: str, **fields: str | bytes | int) -> None:
    """Write an account, replacing the stored one."""
    raw.delete(keys.user(handle))
    values: dict[Any, Any] = {"made": clock(raw), "password": HELD, **fields}
    raw.hset(keys.user(handle), mapping=values)


def write_tombstone(raw: RawClient, handle: str) -> None:
    """Write what a deleted account leaves."""
    raw.delete(keys.user(handle))
    raw.hset(keys.user(handle), mapping={"made": 1, "deleted": clock(raw)})


def record(made: int, seen: int, expires: int, address: str = "192.0.2.7", agent: str = "curl") -> bytes:
    """Return a session as stored; times in µs."""
    return eight(made) + eight(seen) + eight(expires) + msgspec.msgpack.encode([address, agent])


def write_session(raw: RawClient, handle: str, digest: bytes, made: int, seen: int, expires: int) -> None:
    """Write one session beside those there are."""
    raw.hset(keys.sessions(handle), digest, record(made, seen, expires))


def session(raw: RawClient, handle: str, digest: bytes) -> tuple[int, int, int] | None:
    """Return the three times of a session, in µs, or None if it does not exist."""
    held: Any = raw.hget(keys.sessions(handle), digest)
    if held is None:
        return None
    made, seen, expires = (int.from_bytes(held[at : at + 8], "big") for at in (0, 8, 16))
    return made, seen, expires


def fields_of(raw: RawClient, key: str) -> dict[str, bytes]:
    """Return a HASH."""
    held: Any = raw.hgetall(key)
    return {name.decode(): value for name, value in held.items()}
