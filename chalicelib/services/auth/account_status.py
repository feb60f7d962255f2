"""Which names have accounts, as far as it was asked of late."""

from __future__ import annotations

import time
from collections.abc import Callable

from chalicelib.services.values.names import HANDLE
from chalicelib.store.accounts.accounts import Accounts, AccountStatus
from chalicelib.store.redis.client import Query, Store

KEPT_SECONDS = 1.0
"""An open server may believe a name for this long after an account was made of it elsewhere."""
KEPT_NAMES = 10_000


class Standings:
    """Remembers which names have accounts; clock: seconds, as time.monotonic."""

    def __init__(self, store: Store, accounts: Accounts, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._accounts = accounts
        self._clock = clock
        self._kept: dict[str, tuple[AccountStatus, float]] = {}

    def of(self, name: str) -> AccountStatus:
        """Return whether a case-folded name has an account, as it was a second ago at the earliest."""
        known = self.known(name)
        return self._store.fetch(self.asking(name)) if known is None else known

    def known(self, name: str) -> AccountStatus | None:
        """Return what `of` would without asking the store, or None."""
        if not HANDLE.fullmatch(name):
            return AccountStatus.NONE
        standing, until = self._kept.get(name, (AccountStatus.NONE, 0.0))
        return standing if standing == AccountStatus.DELETED or self._clock() < until else None

    def asking(self, name: str) -> Query[AccountStatus]:
        """Return the query that asks; its answer is remembered."""
        query = self._accounts.peer(name, "")
        read = lambda reply: self._keep(name, query.read(reply).standing)  # noqa: E731
        return Query(query.run, query.keys, query.args, read)

    def _keep(self, name: str, standing: AccountStatus) -> AccountStatus:
        if len(self._kept) >= KEPT_NAMES:
            self._kept.clear()
        self._kept[name] = standing, self._clock() + KEPT_SECONDS
        return standing
