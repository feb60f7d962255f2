"""The pinned messages of a chat."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.access import kind_of, reader_keys, refusal
from chalicelib.store.messages.content import LogEntry, entry_of
from chalicelib.store.messages.log import PAGE_BYTES
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script
from chalicelib.store.redis.sorted_sets import number_of

READ_PINS = Script("messages/read_pins")


class PinMark(NamedTuple):
    """The place of a pinned message in the list of its chat; time: When it was pinned, µs since 1970."""

    time: int
    seq: int


class PinPage(NamedTuple):
    """Some pinned messages, the newest pin first, each with its place; more: Whether others follow."""

    more: bool
    pins: list[tuple[PinMark, LogEntry]]


class Pins:
    """The pinned messages of a chat. Their key, in the chat's partition `{c<NNN>}`:

    `{c<NNN>}:pins:<chat>`: ZSET, no expiry, at most MAX_PINS members: seq -> when it was pinned, µs. The
        message itself has the time too, see Extra; MessageChanges changes both. A deleted message is not
        pinned. Seqs of trimmed messages may stay until another message is pinned.
    """

    @staticmethod
    def page(chat: str, reader: str, below: PinMark | None, limit: int) -> Query[PinPage]:
        """Return the query for a page of the pinned messages that a reader may read.

        below: The pin before the page; None: the first page. Reading its reply raises ChatNotFound,
        NotAMember.
        """
        named = (*reader_keys(chat), keys.pins(chat), keys.hidden(chat, reader))
        args = (reader, kind_of(chat), *(below or (0, 0)), limit, PAGE_BYTES)
        return Query(READ_PINS, named, args, lambda reply: _page(chat, reply))


def _page(chat: str, reply: Any) -> PinPage:
    if isinstance(reply, int):
        raise refusal(chat, reply)
    more, flat = reply
    each = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
    pins = [(PinMark(number_of(time), seq), entry_of(seq, element)) for seq, time, element in each]
    return PinPage(bool(more), pins)
