"""Messages whose time to expire has come, without a wait: their elements are written by hand."""

from __future__ import annotations

import time
from typing import Any

from chalicelib.store import keys
from chalicelib.store.messages.content import HEADER
from tests.store.log_records import RawClient


def set_expiry(raw: RawClient, chat: str, seq: int, ahead: int = 0) -> int:
    """Let a message that expires do it some µs from now, or now; return when, µs since 1970."""
    at = time.time_ns() // 1000 + ahead
    index = seq - base_of(raw, chat)
    held: Any = raw.lindex(keys.log(chat), index)
    version, sent, change, expires, root = HEADER.unpack_from(held)
    assert expires, f"message {seq} does not expire"
    raw.lset(keys.log(chat), index, HEADER.pack(version, sent, change, at, root) + held[HEADER.size :])
    raw.zadd(keys.expiries(chat), {f"{seq}\0{chat}": at})
    return at


def base_of(raw: RawClient, chat: str) -> int:
    """Return the number of trimmed messages of a log."""
    header: Any = raw.lindex(keys.log(chat), 0)
    return int.from_bytes(header[1:9])


def expiries_of(raw: RawClient, chat: str) -> dict[str, int]:
    """Return the seqs in a partition's `expiries`, and when they expire, µs."""
    held: Any = raw.zrange(keys.expiries(chat), 0, -1, withscores=True)
    return {member.decode().partition("\0")[0]: int(at) for member, at in held}
