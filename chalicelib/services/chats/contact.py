"""Chats between two people: who they are, and whether one may write to the other."""

from __future__ import annotations

from typing import TypeVar

from chalicelib.errors import Blocked, no_user
from chalicelib.services.auth.account_status import AccountStatusCache
from chalicelib.services.auth.caller import Caller
from chalicelib.store.accounts.accounts import Accounts, AccountStatus, UserRelation
from chalicelib.store.redis.client import Query

T = TypeVar("T")


class DirectContact:
    """The rules of a chat of two.

    strict: whether the other must have an account, as on a server that trusts no names.
    """

    def __init__(self, accounts: Accounts, statuses: AccountStatusCache, *, strict: bool) -> None:
        self._accounts = accounts
        self._statuses = statuses
        self._strict = strict

    def admit_writer(self, caller: Caller, other: str) -> None:
        """Judge the caller, and whether the other lets them write, in one trip.

        Raises UserNotFound, Blocked, NotAuthenticated, TooManyRequests.
        """
        if other == caller.handle or self._unknown_here(caller, other):
            caller.authenticate()
        else:
            self._check(caller, other, caller.read(self._accounts.relation(other, caller.handle)))

    def read(self, caller: Caller, other: str, query: Query[T]) -> tuple[T, list[str]]:
        """Read a chat of two while the caller is judged; returns also which of the members are deleted."""
        status = self._statuses.known(other)
        if status is None:
            found, status = caller.read_all(query, self._statuses.query(other))
        else:
            found = caller.read(query)
        return found, [other] if status is AccountStatus.DELETED else []

    def _unknown_here(self, caller: Caller, other: str) -> bool:
        return caller.session is None and self._statuses.of(other) is AccountStatus.NONE

    def _check(self, caller: Caller, other: str, peer: UserRelation) -> None:
        missing = peer.status is AccountStatus.NONE and self._strict and caller.session is not None
        if missing or peer.status is AccountStatus.DELETED:
            raise no_user(other)
        if peer.blocks:
            raise Blocked(f"{other} takes no messages from you.")
