"""Finding people by their handle or display name."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from chalicelib.errors import bad_field
from chalicelib.schemas.users import MAX_QUERY_CHARACTERS, User, UserPage
from chalicelib.services.profiles import user_of
from chalicelib.services.terms import can_be_sought, cut, folded, terms_of
from chalicelib.store.accounts import Accounts, Profile
from chalicelib.store.client import Store
from chalicelib.store.search import Entry, SearchIndex

ROUNDS = 4
"""Looks at the index that one call takes at the most; entries that give nobody make another look needed."""
MAX_CURSOR_CHARACTERS = 1024


class Search:
    """Finds people; the index says where to look, their accounts who they are."""

    def __init__(self, store: Store, accounts: Accounts, index: SearchIndex) -> None:
        self._store = store
        self._accounts = accounts
        self._index = index

    def users(self, q: str, limit: int, cursor: str | None) -> UserPage:
        """Return users whose handle, or name from one of its words on, begins with a text.

        They come in the order of what was found of them, each where it is found first. Renamed meanwhile,
        somebody may be on two pages or on none. A page may be short, empty even, and still not the last.
        limit: 1-100. Raises BadRequest.
        """
        start = _checked(q)
        place = None if cursor is None else _place(cursor, start)
        users: list[User] = []
        for _ in range(ROUNDS):
            wanted = limit - len(users)
            entries = self._index.find(start, place, wanted + 1)
            users += self._resolved(entries[:wanted], start)
            if len(entries) <= wanted:
                return UserPage(users=users, next=None)
            place = entries[wanted - 1]
            if len(users) == limit:
                break
        return UserPage(users=users, next=_cursor(place))

    def _resolved(self, entries: list[Entry], start: str) -> list[User]:
        """Return whom entries lead to, but for those found by a smaller term that begins so too."""
        profiles = self._profiles(entries)
        stale = [entry for entry in entries if not _fits(entry, profiles)]
        if stale:
            self._heal(stale)
        return [user_of(profile) for entry in entries if (profile := _first_found(entry, profiles, start))]

    def _heal(self, stale: list[Entry]) -> None:
        """Remove entries; put back those that have come to fit meanwhile."""
        self._index.remove(stale)
        profiles = self._profiles(stale)
        self._index.add(entry for entry in stale if _fits(entry, profiles))

    def _profiles(self, entries: list[Entry]) -> dict[str, Profile]:
        handles = list(dict.fromkeys(entry.handle for entry in entries))
        found = self._store.fetch_all(self._accounts.profile(handle) for handle in handles)
        return {handle: profile for handle, profile in zip(handles, found, strict=True) if profile}


def _terms(profile: Profile) -> frozenset[str]:
    return terms_of(profile.account.handle, profile.account.name)


def _fits(entry: Entry, profiles: dict[str, Profile]) -> bool:
    profile = profiles.get(entry.handle)
    return profile is not None and entry.term in _terms(profile)


def _first_found(entry: Entry, profiles: dict[str, Profile], start: str) -> Profile | None:
    """Return the profile of an entry, if it is found by no smaller term."""
    profile = profiles.get(entry.handle)
    matching = [term for term in _terms(profile) if term.startswith(start)] if profile else []
    return profile if matching and entry.term == min(matching) else None


def _checked(q: str) -> str:
    start = cut(folded(q)) if len(q) <= MAX_QUERY_CHARACTERS else ""
    if not can_be_sought(start) or not start.isprintable():
        detail = f"a search takes 2-{MAX_QUERY_CHARACTERS} printable characters, or 1 beyond ASCII"
        raise bad_field("q", detail)
    return start


def _cursor(place: Entry | None) -> str | None:
    return None if place is None else urlsafe_b64encode("\0".join(place).encode()).decode().rstrip("=")


def _place(cursor: str, start: str) -> Entry:
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        place = Entry(*urlsafe_b64decode(padded).decode().split("\0"))
    except (ValueError, TypeError):
        place = Entry("", "")
    if len(cursor) > MAX_CURSOR_CHARACTERS or not place.term.startswith(start):
        raise bad_field("cursor", "a cursor is one that a page of this search gave")
    return place
