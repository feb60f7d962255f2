"""The names that users show, for frames that name the sender of a message."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable

from chalicelib.services.auth.account_status import AccountStatusCache
from chalicelib.store.accounts.accounts import AccountStatus
from chalicelib.store.accounts.user_cards import UserCard, UserCards
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query

KEPT_SECONDS = 30.0
"""How long a process may show a name after another process has changed it."""
KEPT_NAMES = 10_000


class DisplayNames:
    """Remembers the names of users, so that a send reads its sender's seldom; clock: as time.monotonic.

    The name of a user without one, or without an account, is empty.
    """

    def __init__(
        self,
        store: Store,
        cards: UserCards,
        statuses: AccountStatusCache,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._cards = cards
        self._statuses = statuses
        self._clock = clock
        self._kept: dict[str, tuple[str, float]] = {}

    def known(self, handle: str) -> str | None:
        """Return a user's name without a round trip; None: it must be read."""
        kept = self._kept.get(handle)
        if kept is not None and self._clock() < kept[1]:
            return kept[0]
        return "" if self._statuses.known(handle) is AccountStatus.NONE else None

    def query(self, handle: str) -> Query[str]:
        """Return the query for a user's name, which is remembered."""
        return self._cards.one(handle).map(lambda card: self._keep(handle, card))

    def of(self, handles: Iterable[str]) -> dict[str, str]:
        """Return the names of users, in one round trip if some must be read."""
        users = dict.fromkeys(handles)
        known = {handle: self.known(handle) for handle in users}
        unknown = [handle for handle, name in known.items() if name is None]
        read = self._store.run(self._cards.of(unknown)) if unknown else {}
        return {
            handle: self._keep(handle, read.get(handle)) if name is None else name
            for handle, name in known.items()
        }

    def forget(self, handle: str) -> None:
        """Forget the name of a user who has changed it."""
        self._kept.pop(handle, None)

    def _keep(self, handle: str, card: UserCard | None) -> str:
        if len(self._kept) >= KEPT_NAMES:
            self._kept.clear()
        name = "" if card is None else card.name
        self._kept[handle] = name, self._clock() + KEPT_SECONDS
        return name
