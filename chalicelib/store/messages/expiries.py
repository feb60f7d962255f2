"""When messages expire."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.store import keys
from chalicelib.store.redis.query import Batch, Query
from chalicelib.store.redis.sorted_sets import ScoredMember, due


class Expiry(NamedTuple):
    """A message that expires; at: µs since 1970."""

    at: int
    chat: str
    seq: int


class Expiries:
    """The messages that expire, by time. Their key, in the chats' partition:

    `{c<NNN>}:expiries`: ZSET, no expiry, one a partition: `<seq>\\0<chat>` -> time at which the message
        expires, µs. The append adds it, and the deletion of the message removes it. It stays when the
        message is trimmed, or its chat is deleted; then the sweep drops it once its time has come.
    """

    def due(self, most: int) -> Batch[list[Expiry]]:
        """Return the batch for the messages whose times have come; most: maximum number of a partition."""
        return due(keys.all_of(keys.expiries), most, _expiry)

    def drop(self, expiry: Expiry) -> Query[bool]:
        """Return the query that drops a message that is not in the log any more, or does not expire."""
        return Query("ZREM", (keys.expiries(expiry.chat),), (expiry_of(expiry.chat, expiry.seq),), bool)


def expiry_of(chat: str, seq: int) -> str:
    """Return the member of `expiries` for a message."""
    return f"{seq}\0{chat}"


def _expiry(one: ScoredMember) -> Expiry:
    seq, chat = one.member.split("\0")
    return Expiry(one.score, chat, int(seq))
