"""Search for users by handle and display name."""

from __future__ import annotations

from chalicelib.schemas.users import UserPage
from chalicelib.services.search.prefix_search import PrefixSearch
from chalicelib.services.values.terms import terms_of
from chalicelib.services.views.profile import user_of
from chalicelib.store.accounts.accounts import Accounts, Profile
from chalicelib.store.redis.client import Store
from chalicelib.store.search import SearchIndex


class UserSearch:
    """Finds users by their handle or display name."""

    def __init__(self, store: Store, accounts: Accounts, index: SearchIndex) -> None:
        self._store = store
        self._accounts = accounts
        self._search = PrefixSearch(store, index, self._profiles, _terms)

    def users(self, q: str, limit: int, cursor: str | None) -> UserPage:
        """Return a page of users whose handle, or a word of whose name, begins with `q`; see PrefixSearch."""
        found, after = self._search.page(q, limit, cursor)
        return UserPage(users=[user_of(profile) for _, profile in found], next=after)

    def _profiles(self, handles: list[str]) -> dict[str, Profile]:
        found = self._store.run_all(self._accounts.profile(handle) for handle in handles)
        return {handle: profile for handle, profile in zip(handles, found, strict=True) if profile}


def _terms(handle: str, profile: Profile) -> frozenset[str]:
    return terms_of(handle, profile.account.name)
