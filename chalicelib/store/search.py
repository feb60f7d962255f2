"""Search indexes: the users, or the groups and rooms, that a text finds."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from chalicelib.store import keys
from chalicelib.store.redis.query import Batch, Query, each

BEYOND_ANY = b"\xff"
"""A byte that is greater than all bytes of UTF-8."""


class SearchEntry(NamedTuple):
    """A term, and the handle or the chat's id that it finds; entries compare in the order of the index."""

    term: str
    id: str


class SearchIndex:
    """The terms of all users, or of all groups and rooms, in byte order. Its keys, each in a partition of its
    own text:

    `{u<NNN>}:search:<prefix>`: ZSET, no expiry, all scores 0, of `<term>\\0<handle>`. The prefix is the first
        two characters of the term, or one character beyond ASCII: a look-up reads one key, and names spread
        over the partitions. An entry may be out of date: the account has the truth.
    `{c<NNN>}:found:<prefix>`: the same of `<term>\\0<chat>`; the chat has the truth.

    key: Returns the key of a prefix.
    """

    def __init__(self, key: Callable[[str], str] = keys.user_terms) -> None:
        self._key_of = key

    def find(self, start: str, after: SearchEntry | None, most: int) -> Query[list[SearchEntry]]:
        """Return the query for the entries whose terms begin with a text, in order.

        start: The text, at least 2 characters, or 1 beyond ASCII. after: The last entry of the page before;
        None: for the first page. most: Maximum number of entries.
        """
        first = b"[" + start.encode() if after is None else b"(" + _member(after)
        args = (first, b"(" + start.encode() + BEYOND_ANY, "LIMIT", 0, most)
        return Query("ZRANGEBYLEX", (self._key(start),), args, _entries)

    def add(self, entries: Iterable[SearchEntry]) -> Batch[list[object]]:
        """Return the batch that adds entries."""
        return each([Query("ZADD", (self._key(entry.term),), (0, _member(entry))) for entry in entries])

    def remove(self, entries: Iterable[SearchEntry]) -> Batch[list[object]]:
        """Return the batch that removes entries, if they exist."""
        return each([Query("ZREM", (self._key(entry.term),), (_member(entry),)) for entry in entries])

    def _key(self, term: str) -> str:
        return self._key_of(term[:2] if term[0].isascii() else term[0])


def _member(entry: SearchEntry) -> bytes:
    return f"{entry.term}\0{entry.id}".encode()


def _entries(reply: list[bytes]) -> list[SearchEntry]:
    return [SearchEntry(*member.decode().rsplit("\0", 1)) for member in reply]
