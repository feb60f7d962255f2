"""Ends the follows of a deleted user."""

from __future__ import annotations

from chalicelib.store.redis.client import Store
from chalicelib.store.social.follows import Edge, Follows
from chalicelib.store.social.timelines import Timelines

EDGES_AT_ONCE = 500
"""Number of follows that are ended together."""


class EdgeRemoval:
    """Ends every follow from and to a deleted user."""

    def __init__(self, store: Store, follows: Follows, timelines: Timelines) -> None:
        self._store = store
        self._follows = follows
        self._timelines = timelines

    def remove(self, handle: str) -> None:
        """End every follow from and to a deleted user; idempotent, also after a crash.

        Mirrors go before the edges that lead to them. Nobody can follow the user any more, so follows of the
        user need no mirror.
        """
        while edges := self._store.run(self._follows.following(handle, None, EDGES_AT_ONCE)):
            self._store.run_all(
                self._follows.mirror(handle, target, Edge(False, version + 1)) for version, target in edges
            )
            self._store.run(self._follows.drop_following(handle, edges))
        while edges := self._store.run(self._follows.followers(handle, None, EDGES_AT_ONCE)):
            self._store.run_all(self._follows.end_deleted(follower, handle) for _, follower in edges)
            self._store.run(self._follows.drop_followers(handle, edges))
        self._store.run(self._timelines.remove_large_author(handle))
