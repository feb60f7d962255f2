"""Blocks hide users: neither of the two sees where the other is, or how far the other has read."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.store.redis.client import Store
from chalicelib.store.social.blocks import Blocks


class BlockFilter:
    """Finds the users that a block hides from a user."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def hidden(self, handle: str, others: Iterable[str]) -> set[str]:
        """Return those of some users who block a user, or whom that user blocks.

        One round trip; on a cluster one for the first 99 partitions of those users, and one for each 100
        more. None without others.
        """
        candidates = {other for other in others if other != handle}
        if not candidates:
            return set()
        blocked, blocking = self._store.run_both(Blocks.all_of(handle), Blocks.blocking(candidates, handle))
        return candidates.intersection(blocked).union(blocking)
