"""Other users, by the handle that a caller wrote, and their relation to the caller."""

from __future__ import annotations

from chalicelib.errors import bad_field, no_user
from chalicelib.services.values.names import Names
from chalicelib.store.accounts.accounts import Accounts, AccountStatus, UserRelation
from chalicelib.store.redis.client import Store


class Relations:
    """Finds other users and their relations to callers."""

    def __init__(self, store: Store, names: Names, accounts: Accounts) -> None:
        self._store = store
        self._names = names
        self._accounts = accounts

    def named(self, name: str, field: str) -> str:
        """Return the handle in a text that a caller sent; raises BadRequest naming the field."""
        return self._names.account(name, field)

    def other(self, handle: str, name: str, field: str) -> str:
        """Return the handle of another user than the caller; raises BadRequest naming the field."""
        other = self.named(name, field)
        if other == handle:
            raise bad_field(field, "this is you: name another user")
        return other

    def of(self, other: str, handle: str) -> UserRelation:
        """Return the relation of another user to the caller; raises UserNotFound without an account."""
        relation = self._store.run(self._accounts.relation(other, handle))
        if relation.status != AccountStatus.ACTIVE:
            raise no_user(other)
        return relation
