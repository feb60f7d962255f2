"""Applies a follow or block to the other user's keys; retried until it succeeds."""

from __future__ import annotations

from chalicelib.store.redis.client import Store
from chalicelib.store.social.follows import Follows, Mirrored
from chalicelib.store.social.posts import Posts
from chalicelib.store.social.timelines import Timelines

NEWEST = 20
"""Posts of a newly followed author that a feed begins with."""


class EdgeMirror:
    """Runs the pending jobs `follow:…` and `block:…`."""

    def __init__(self, store: Store, follows: Follows, posts: Posts, timelines: Timelines) -> None:
        self._store = store
        self._follows = follows
        self._posts = posts
        self._timelines = timelines

    def follow(self, handle: str, target: str) -> None:
        """Add or remove a follower of the target, as the edge says; undo a follow that the target refuses."""
        edge = self._store.run(self._follows.edge(handle, target))
        if edge is None:
            return
        mirrored = self._store.run(self._follows.mirror(handle, target, edge))
        if edge.follows and mirrored == Mirrored.SAME:
            self._store.run(
                self._timelines.put(
                    [handle], target, self._store.run(self._posts.newest([target], None, NEWEST))[target]
                )
            )
        elif (
            edge.follows
            and mirrored in (Mirrored.GONE, Mirrored.BLOCKED)
            and self._store.run(self._follows.unfollow(handle, target, edge.version))
        ):
            self.follow(handle, target)

    def block(self, handle: str, other: str) -> None:
        """Undo the follow of a user who blocks the follower; it stays if the block has ended by now."""
        self.follow(other, handle)
