"""Parts of the lists of an archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from chalicelib.schemas.encoded import Encoded
from chalicelib.services.values.paging import encoded
from chalicelib.store.redis.sorted_sets import ScoredMember

ENOUGH_BYTES = 1024 * 1024
"""A page ends when its lists are so long; with the last part of a list it stays below 4 MiB."""


class Part(NamedTuple):
    """A part of a list.

    last: the last entry that was read; None if no part follows.
    ends_page: the part took so much work that the next part is left to another call.
    """

    entries: list[Encoded[Any]]
    last: ScoredMember | None
    ends_page: bool = False

    @property
    def size(self) -> int:
        """Bytes of the entries in JSON, with the commas and brackets."""
        return sum(map(len, self.entries)) + len(self.entries) + 1


Reader = Callable[[str, ScoredMember | None], Part]
"""Reads the part of a user's list that follows an entry; None: the first part."""


def part(entries: Iterable[Any], marks: Iterable[ScoredMember], limit: int) -> Part:
    """Return a part; another one follows if this one has as many entries as a part may have."""
    rows = list(map(encoded, entries))
    return Part(rows, list(marks)[-1] if len(rows) == limit else None)
