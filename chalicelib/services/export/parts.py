"""Parts of the lists of an archive."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from chalicelib.store.redis.sorted_sets import ScoredMember

ENOUGH_BYTES = 1024 * 1024
"""After so much of lists a page ends; with the last part of one it stays below 4 MiB."""


class Part(NamedTuple):
    """A part of a list; entries: as they are shown. last: where the next one goes on; None: there is none.

    ends_page: it took so much work that the next one is left to another call.
    """

    entries: list[Any]
    last: ScoredMember | None
    ends_page: bool = False


Reader = Callable[[str, ScoredMember | None], Part]
"""Reads the part below a mark of a user's list; None: the first."""


def part(entries: list[Any], marks: Iterable[ScoredMember], limit: int) -> Part:
    """Return a part of which another follows if it has as many entries as a part may have."""
    return Part(entries, list(marks)[-1] if len(entries) == limit else None)
