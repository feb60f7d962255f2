"""The second half of follows and blocks: what is done in the slot of the other user, as often as it takes."""

from __future__ import annotations

from chalicelib.store.social.follows import Follows, Mirrored
from chalicelib.store.social.posts import Posts
from chalicelib.store.social.timelines import Timelines

NEWEST = 20
"""Posts of somebody newly followed that the feed begins with."""


class EdgeMirror:
    """Does what is owed as `follow:…` and `block:…`."""

    def __init__(self, follows: Follows, posts: Posts, timelines: Timelines) -> None:
        self._follows = follows
        self._posts = posts
        self._timelines = timelines

    def follow(self, handle: str, target: str) -> None:
        """Bring the target's followers in line with an edge; one that the target refuses is taken back."""
        edge = self._follows.edge(handle, target)
        if edge is None:
            return
        mirrored = self._follows.mirror(handle, target, edge)
        if edge.follows and mirrored == Mirrored.SAME:
            self._timelines.put([handle], target, self._posts.newest([target], None, NEWEST)[target])
        elif (
            edge.follows
            and mirrored in (Mirrored.GONE, Mirrored.BLOCKED)
            and self._follows.unfollow(handle, target, edge.version)
        ):
            self.follow(handle, target)

    def block(self, handle: str, other: str) -> None:
        """Take back the edge to one who blocks; if the block is over by now, the edge stays."""
        self.follow(other, handle)
