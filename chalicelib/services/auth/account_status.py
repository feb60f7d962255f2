"""One-second cache of which names have accounts."""

from __future__ import annotations

import time
from collections.abc import Callable

from chalicelib.services.values.names import HANDLE
from chalicelib.store.accounts.accounts import Accounts, AccountStatus
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query

KEPT_SECONDS = 1.0
"""How long an open server may trust a name after another process made an account of it."""
KEPT_NAMES = 10_000


class AccountStatusCache:
    """Remembers which names have accounts; clock: seconds, as time.monotonic."""

    def __init__(self, store: Store, accounts: Accounts, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock
        self._kept: dict[str, tuple[AccountStatus, float]] = {}

    def of(self, name: str) -> AccountStatus:
        """Return the status of a case-folded name's account; it may be a second old."""
        known = self.known(name)
        return self._store.run(self.query(name)) if known is None else known

    def known(self, name: str) -> AccountStatus | None:
        """Return what `of` would without a round trip, or None."""
        kept = self._kept.get(name)
        if kept is None:
            return None if HANDLE.fullmatch(name) else AccountStatus.NONE
        status, until = kept
        return status if status == AccountStatus.DELETED or self._clock() < until else None

    def query(self, name: str) -> Query[AccountStatus]:
        """Return the query that reads the status; its answer is remembered."""
        return self._accounts.relation(name, "").map(lambda relation: self._keep(name, relation.status))

    def _keep(self, name: str, status: AccountStatus) -> AccountStatus:
        if len(self._kept) >= KEPT_NAMES:
            self._kept.clear()
        self._kept[name] = status, self._clock() + KEPT_SECONDS
        return status
