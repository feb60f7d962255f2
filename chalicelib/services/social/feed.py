"""The feed: posts of those whom one follows."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from chalicelib.schemas.social import Post, PostPage
from chalicelib.services.social.posts import shown
from chalicelib.services.values.cursors import USER_CURSOR
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.sorted_sets import ScoredMember
from chalicelib.store.social.follows import Follows
from chalicelib.store.social.posts import AuthoredPosts, Posts
from chalicelib.store.social.timelines import Timelines

ROUNDS = 5
"""How often a page looks for more posts, when those it found are left out."""
FEWEST = 50
"""Posts that a round looks at, at the least."""
ASKED_AT_ONCE = 1000
"""Authors in one question whether the reader follows them; a script takes fewer than 8,000 arguments on."""


class Feed:
    """Merges a reader's timeline with the posts of the large authors that the reader follows.

    Posts are in the order of (id, author); a mark's member is `<author>:<id>`, as in the timeline. What a
    timeline names is read where it is, when it is shown: what was deleted, and whom the reader follows no
    more, is left out.
    """

    def __init__(self, store: Store, follows: Follows, posts: Posts, timelines: Timelines) -> None:
        self._store = store
        self._follows = follows
        self._posts = posts
        self._timelines = timelines

    def page(self, reader: str, cursor: str | None, limit: int) -> PostPage:
        """Read a page of the feed, the newest first; raises BadRequest.

        It looks at so many posts and no more: when most of them are left out, the page is short, and has a
        `next`.
        """
        below = None if cursor is None else _mark(cursor)
        large, count, found = self._large_followed(reader), max(limit + 1, FEWEST), list[Post]()
        for _ in range(ROUNDS):
            marks = self._marks(reader, large, below, count)
            posts = self._readable(reader, marks)
            for place, mark in enumerate(marks, 1):
                below = mark
                found += [posts[mark]] if mark in posts else []
                if len(found) == limit:
                    return _page(found, below if place < len(marks) or len(marks) == count else None)
            if len(marks) < count:
                return _page(found, None)
        return _page(found, below)

    def _large_followed(self, reader: str) -> list[str]:
        large = self._timelines.large_authors()
        parts = [large[start : start + ASKED_AT_ONCE] for start in range(0, len(large), ASKED_AT_ONCE)]
        followed = self._store.fetch_all(self._follows.followed_among(reader, part) for part in parts)
        return sorted(set[str]().union(*followed))

    def _marks(
        self, reader: str, large: list[str], below: ScoredMember | None, count: int
    ) -> list[ScoredMember]:
        """Return the next posts of the feed, `count` of them unless they end, readable or not.

        Where a full timeline ends, the feed does: further down it would show large authors only.
        """
        timeline = self._timelines.read(reader, below, count)
        highest = None if below is None else below.score
        newest = self._posts.newest(large, highest, count + 1)
        marks = {ScoredMember(post, f"{author}:{post}") for author, ids in newest.items() for post in ids}
        merged = marks.union(timeline.marks)
        wanted = (mark for mark in merged if mark.score >= timeline.floor and (below is None or mark < below))
        return sorted(wanted, reverse=True)[:count]

    def _readable(self, reader: str, marks: list[ScoredMember]) -> dict[ScoredMember, Post]:
        """Return those of some posts that the reader may see."""
        ids: dict[str, list[int]] = defaultdict(list)
        for post, member in marks:
            ids[member.partition(":")[0]].append(post)
        if not ids:
            return {}
        authors = sorted(ids)
        queries = [self._posts.written(author, reader, ids[author]) for author in authors]
        followed, *found = self._store.fetch_all([self._follows.followed_among(reader, authors), *queries])
        return _by_mark(found, followed)


def _by_mark(found: list[Any], followed: set[str]) -> dict[ScoredMember, Post]:
    readable: list[AuthoredPosts] = [
        written for written in found if written and written.author.handle in followed
    ]
    return {
        ScoredMember(post.id, f"{written.author.handle}:{post.id}"): shown(written.author, post)
        for written in readable
        for post in written.posts
    }


def _mark(cursor: str) -> ScoredMember:
    post, author = USER_CURSOR.decode(cursor, "cursor")
    return ScoredMember(post, f"{author}:{post}")


def _page(posts: list[Post], end: ScoredMember | None) -> PostPage:
    place = None if end is None else ScoredMember(end.score, end.member.partition(":")[0])
    return PostPage(posts=posts, next=None if place is None else USER_CURSOR.encode(place))
