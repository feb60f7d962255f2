"""Whom a block hides: neither of two sees where the other is, nor how far the other has read."""

from __future__ import annotations

from collections.abc import Iterable

from chalicelib.store.redis.client import Store
from chalicelib.store.social.blocks import Blocks


class BlockFilter:
    """Finds whom a block hides from somebody."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def hidden(self, handle: str, others: Iterable[str]) -> set[str]:
        """Return those of some users who block somebody, or whom that one blocks.

        One trip for the first 99 partitions that they are in and one for each 100 more; none without others.
        """
        asked = {other for other in others if other != handle}
        if not asked:
            return set()
        blocked, *parts = self._store.fetch_all([Blocks.all_of(handle), *Blocks.blocking(asked, handle)])
        return asked.intersection(blocked).union(*parts)
