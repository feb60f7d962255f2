"""Finding people, or whatever else an index of terms leads to, by how a text begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from chalicelib.errors import bad_field
from chalicelib.schemas.users import MAX_QUERY_CHARACTERS, UserPage
from chalicelib.services.values.cursors import SEARCH_CURSOR
from chalicelib.services.values.terms import can_be_sought, cut, folded, terms_of
from chalicelib.services.views.profile import user_of
from chalicelib.store.accounts.accounts import Accounts, Profile
from chalicelib.store.redis.client import Store
from chalicelib.store.search import SearchEntry, SearchIndex
from chalicelib.texts import check_lines, composed, has_visible

ROUNDS = 4
"""Looks at the index that one call takes at the most; entries that give nothing make another look needed."""

T = TypeVar("T")


class Results(NamedTuple, Generic[T]):
    """What was found, each by its id, in order; next: a cursor, None at the end."""

    found: list[tuple[str, T]]
    next: str | None


class PrefixSearch(Generic[T]):
    """Finds things by their terms; the index says where to look, the things themselves what is true.

    read: returns those of some ids that are there. terms: returns all terms of one, by its id.
    """

    def __init__(
        self,
        index: SearchIndex,
        read: Callable[[list[str]], dict[str, T]],
        terms: Callable[[str, T], frozenset[str]],
    ) -> None:
        self._index = index
        self._read_all = read
        self._terms = terms

    def page(self, q: str, limit: int, cursor: str | None) -> Results[T]:
        """Return what has a term that begins with a text, in the order of what was found of it, each once.

        What is renamed meanwhile may be on two pages or on none. A page may be short, empty even, and still
        not the last. limit: 1-100. Raises BadRequest.
        """
        start = _checked(q)
        place = None if cursor is None else _decoded(cursor, start)
        found: list[tuple[str, T]] = []
        for _ in range(ROUNDS):
            wanted = limit - len(found)
            entries = self._index.find(start, place, wanted + 1)
            found += self._resolved(entries[:wanted], start)
            if len(entries) <= wanted:
                return Results(found, None)
            place = entries[wanted - 1]
            if len(found) == limit:
                break
        return Results(found, None if place is None else SEARCH_CURSOR.encode(place))

    def _resolved(self, entries: list[SearchEntry], start: str) -> list[tuple[str, T]]:
        """Return what entries lead to, but for that found by a smaller term that begins so too."""
        there = self._read(entries)
        stale = [entry for entry in entries if not self._fits(entry, there)]
        if stale:
            self._heal(stale)
        return [(entry.id, there[entry.id]) for entry in entries if self._is_first(entry, there, start)]

    def _heal(self, stale: list[SearchEntry]) -> None:
        """Remove entries; put back those that have come to fit meanwhile."""
        self._index.remove(stale)
        there = self._read(stale)
        self._index.add(entry for entry in stale if self._fits(entry, there))

    def _read(self, entries: list[SearchEntry]) -> dict[str, T]:
        return self._read_all(list(dict.fromkeys(entry.id for entry in entries)))

    def _fits(self, entry: SearchEntry, there: dict[str, T]) -> bool:
        return entry.id in there and entry.term in self._terms(entry.id, there[entry.id])

    def _is_first(self, entry: SearchEntry, there: dict[str, T], start: str) -> bool:
        terms = self._terms(entry.id, there[entry.id]) if entry.id in there else frozenset[str]()
        return entry.term == min((term for term in terms if term.startswith(start)), default=None)


class UserSearch:
    """Finds people by their handle or display name."""

    def __init__(self, store: Store, accounts: Accounts, index: SearchIndex) -> None:
        self._store = store
        self._accounts = accounts
        self._people = PrefixSearch(index, self._profiles, _terms)

    def users(self, q: str, limit: int, cursor: str | None) -> UserPage:
        """Return users whose handle, or name from one of its words on, begins so; see PrefixSearch."""
        found, after = self._people.page(q, limit, cursor)
        return UserPage(users=[user_of(profile) for _, profile in found], next=after)

    def _profiles(self, handles: list[str]) -> dict[str, Profile]:
        found = self._store.fetch_all(self._accounts.profile(handle) for handle in handles)
        return {handle: profile for handle, profile in zip(handles, found, strict=True) if profile}


def _terms(handle: str, profile: Profile) -> frozenset[str]:
    return terms_of(handle, profile.account.name)


def _checked(q: str) -> str:
    text = composed(q, MAX_QUERY_CHARACTERS)
    if len(text) > MAX_QUERY_CHARACTERS:
        raise bad_field("q", f"a search has at most {MAX_QUERY_CHARACTERS} characters; this has {len(text)}")
    check_lines(text, "q", "a search")
    start = cut(folded(text))
    if not (can_be_sought(start) and has_visible(start)):
        raise bad_field("q", f"a search takes 2-{MAX_QUERY_CHARACTERS} characters, or 1 beyond ASCII")
    return start


def _decoded(cursor: str, start: str) -> SearchEntry:
    """Return the entry of a cursor; raises BadRequest for a cursor of another search."""
    place = SEARCH_CURSOR.decode(cursor, "cursor")
    if not place.term.startswith(start):
        raise bad_field("cursor", SEARCH_CURSOR.hint)
    return place
