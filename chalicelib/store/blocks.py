"""Whom users have blocked."""

from __future__ import annotations

from enum import IntEnum

from chalicelib.store import follows, keys
from chalicelib.store.client import Query, Store
from chalicelib.store.pages import Mark, page
from chalicelib.store.scripts import Script

BLOCK = Script("block", "edges", "live")

MOST_BLOCKED = 10_000


class Blocking(IntEnum):
    """What became of a call to block."""

    ALREADY = 0
    NOW = 1
    NO_ACCOUNT = 2
    TOO_MANY = 4


class Blocks:
    """Whom users have blocked. Their key, in the user's partition:

    `{u<NNN>}:blocked:<handle>`: ZSET, no expiry: whom the user has blocked -> since when, µs. MOST_BLOCKED
        members at the most. While the other may still follow the user, `block:<handle>:<other>` is owed.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def block(self, handle: str, other: str) -> Blocking:
        """Block somebody, end the edges between the two, and owe what is in the other's slot.

        Again is no change.
        """
        zsets = (keys.blocked(handle), keys.following(handle), keys.followers(handle))
        named = (keys.user(handle), *zsets, keys.owed(handle))
        args = (other, follows.item(handle, other), item(handle, other), MOST_BLOCKED)
        return self._store.fetch(Query(BLOCK, named, args, Blocking))

    def unblock(self, handle: str, other: str) -> bool:
        """Block somebody no more; returns whether they were blocked."""
        return bool(self._store.fetch(Query("ZREM", (keys.blocked(handle),), (other,))))

    def blocked(self, handle: str, below: Mark | None, limit: int) -> Query[list[Mark]]:
        """Return the query for a page of whom a user has blocked, the newest first."""
        return page(keys.blocked(handle), below, limit)


def item(handle: str, other: str) -> str:
    """Return what is owed for a block."""
    return f"block:{handle}:{other}"
