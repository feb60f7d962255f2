"""The end of an account."""

from __future__ import annotations

from chalicelib.services.directory import Directory
from chalicelib.services.identity import IDENTITY
from chalicelib.services.work import Work
from chalicelib.store.accounts import Accounts, delete_item
from chalicelib.store.claims import Claims
from chalicelib.store.client import Store
from chalicelib.store.follows import Follows

INLINE_EDGES = 1000
"""Follows, both ways, that are removed before a deletion is answered."""


class Deletion:
    """Ends accounts: at once for everybody, then in all the slots that hold something of them."""

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        claims: Claims,
        directory: Directory,
        follows: Follows,
        work: Work,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._claims = claims
        self._directory = directory
        self._follows = follows
        self._work = work

    def delete(self, handle: str) -> None:
        """Delete a user; what others hold of one with very many follows is taken away soon, not now."""
        profile = self._store.fetch(self._accounts.profile(handle))
        self._accounts.delete(handle)
        item = delete_item(handle)
        if profile is not None and profile.followers + profile.following > INLINE_EDGES:
            self._work.soon(item)
        else:
            self._work.now(item)

    def finish(self, handle: str) -> None:
        """Take away what other slots hold of a deleted user; broken off anywhere, it may be begun again.

        What leads to the rest goes last: the account's own fields.
        """
        account = self._accounts.get(handle)
        if account is None or not account.deleted:
            return
        self._directory.index(handle)
        if account.identity is not None:
            self._claims.release(IDENTITY, account.identity.hex(), handle)
        self._follows.drop(handle)
        self._accounts.forget(handle)
