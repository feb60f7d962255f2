"""Other users, as a call names them."""

from __future__ import annotations

from chalicelib.errors import bad_field, no_user
from chalicelib.services.values.names import Names
from chalicelib.store.accounts.accounts import Accounts, AccountStatus, UserRelation
from chalicelib.store.redis.client import Store


class Relations:
    """Finds other users."""

    def __init__(self, store: Store, names: Names, accounts: Accounts) -> None:
        self._store = store
        self._names = names
        self._accounts = accounts

    def named(self, name: str, field: str) -> str:
        """Return the handle that a caller gave; raises BadRequest naming the field."""
        return self._names.account(name, field)

    def other(self, handle: str, name: str, field: str) -> str:
        """Return the handle of somebody else than the caller; raises BadRequest naming the field."""
        other = self.named(name, field)
        if other == handle:
            raise bad_field(field, "this is you")
        return other

    def of(self, other: str, handle: str) -> UserRelation:
        """Return how somebody stands to the caller; raises UserNotFound unless they have an account."""
        peer = self._store.fetch(self._accounts.relation(other, handle))
        if peer.status != AccountStatus.ACTIVE:
            raise no_user(other)
        return peer
