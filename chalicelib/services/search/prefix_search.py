"""Search by the beginning of a text, over an index of terms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from chalicelib.errors import bad_field
from chalicelib.schemas.users import MAX_QUERY_CHARACTERS
from chalicelib.services.values.cursors import SEARCH_CURSOR
from chalicelib.services.values.terms import can_be_sought, cut, folded
from chalicelib.store.redis.client import Store
from chalicelib.store.search import SearchEntry, SearchIndex
from chalicelib.texts import check_lines, composed, has_visible

ROUNDS = 4
"""Maximum number of reads of the index for one page. Stale entries make another read necessary."""

T = TypeVar("T")


class Results(NamedTuple, Generic[T]):
    """Results by their ids, in order; next: the cursor of the next page, None at the end."""

    found: list[tuple[str, T]]
    next: str | None


class PrefixSearch(Generic[T]):
    """Finds records by their terms. An entry of the index may be stale: the record has the terms that count.

    read: Returns the records of some ids, without those that do not exist.
    terms: Returns all terms of a record, which it gets with its id.
    """

    def __init__(
        self,
        store: Store,
        index: SearchIndex,
        read: Callable[[list[str]], dict[str, T]],
        terms: Callable[[str, T], frozenset[str]],
    ) -> None:
        self._store = store
        self._index = index
        self._read_all = read
        self._terms = terms

    def page(self, q: str, limit: int, cursor: str | None) -> Results[T]:
        """Return a page of records that have a term that begins with a text.

        Each is found once, by its first such term, in the order of these terms. A record that is renamed
        between two pages may be on both or on neither. A page may be short or empty and not be the last.
        limit: 1-100. Raises BadRequest.
        """
        start = _checked(q)
        last = None if cursor is None else _decoded(cursor, start)
        found: list[tuple[str, T]] = []
        for _ in range(ROUNDS):
            wanted = limit - len(found)
            entries = self._store.run(self._index.find(start, last, wanted + 1))
            found += self._resolved(entries[:wanted], start)
            if len(entries) <= wanted:
                return Results(found, None)
            last = entries[wanted - 1]
            if len(found) == limit:
                break
        return Results(found, None if last is None else SEARCH_CURSOR.encode(last))

    def _resolved(self, entries: list[SearchEntry], start: str) -> list[tuple[str, T]]:
        """Return the records of entries, without those that an earlier entry of this search leads to."""
        records = self._read(entries)
        stale = [entry for entry in entries if not self._fits(entry, records)]
        if stale:
            self._repair(stale)
        return [(entry.id, records[entry.id]) for entry in entries if self._is_first(entry, records, start)]

    def _repair(self, stale: list[SearchEntry]) -> None:
        """Remove stale entries; add again those that a record has got meanwhile."""
        self._store.run(self._index.remove(stale))
        records = self._read(stale)
        self._store.run(self._index.add(entry for entry in stale if self._fits(entry, records)))

    def _read(self, entries: list[SearchEntry]) -> dict[str, T]:
        return self._read_all(list(dict.fromkeys(entry.id for entry in entries)))

    def _fits(self, entry: SearchEntry, records: dict[str, T]) -> bool:
        return entry.id in records and entry.term in self._terms(entry.id, records[entry.id])

    def _is_first(self, entry: SearchEntry, records: dict[str, T], start: str) -> bool:
        terms = self._terms(entry.id, records[entry.id]) if entry.id in records else frozenset[str]()
        return entry.term == min((term for term in terms if term.startswith(start)), default=None)


def _checked(q: str) -> str:
    text = composed(q, MAX_QUERY_CHARACTERS)
    if len(text) > MAX_QUERY_CHARACTERS:
        raise bad_field("q", f"a search has at most {MAX_QUERY_CHARACTERS} characters; this has {len(text)}")
    check_lines(text, "q", "a search")
    start = cut(folded(text))
    if not (can_be_sought(start) and has_visible(start)):
        raise bad_field(
            "q", f"a search needs 2-{MAX_QUERY_CHARACTERS} characters; 1 is enough if it is not ASCII"
        )
    return start


def _decoded(cursor: str, start: str) -> SearchEntry:
    """Return the entry of a cursor; raises BadRequest for a cursor of another search."""
    last = SEARCH_CURSOR.decode(cursor, "cursor")
    if not last.term.startswith(start):
        raise bad_field("cursor", SEARCH_CURSOR.hint)
    return last
