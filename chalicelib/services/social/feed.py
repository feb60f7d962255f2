"""The feed: posts of the authors whom a user follows."""

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
"""Maximum number of times that a page looks for more posts, when it leaves out those that it found."""
MIN_LOOKED_AT = 50
"""Minimum number of posts that a round looks at."""
AUTHORS_IN_A_QUERY = 1000
"""Maximum number of authors in one query. Source: Lua unpacks fewer than 8,000 arguments."""


class Feed:
    """Merges a reader's timeline with the posts of the large authors that the reader follows.

    Posts are in the order of (id, author). An entry has the id as its score and `<author>:<id>` as its
    member, as in the timeline. A post is read from its author when it is shown: deleted posts, and posts of
    authors whom the reader no longer follows, are left out.
    """

    def __init__(self, store: Store, follows: Follows, posts: Posts, timelines: Timelines) -> None:
        self._store = store
        self._follows = follows
        self._posts = posts
        self._timelines = timelines

    def page(self, reader: str, cursor: str | None, limit: int) -> PostPage:
        """Read a page of the feed, newest first; raises BadRequest.

        A page looks at a limited number of posts: when it leaves out most of them, it is short, and has a
        `next`.
        """
        below = None if cursor is None else _entry(cursor)
        large, count, found = self._large_followed(reader), max(limit + 1, MIN_LOOKED_AT), list[Post]()
        for _ in range(ROUNDS):
            entries = self._entries(reader, large, below, count)
            posts = self._readable(reader, entries)
            for count_read, entry in enumerate(entries, 1):
                below = entry
                found += [posts[entry]] if entry in posts else []
                if len(found) == limit:
                    return _page(found, below if count_read < len(entries) or len(entries) == count else None)
            if len(entries) < count:
                return _page(found, None)
        return _page(found, below)

    def _large_followed(self, reader: str) -> list[str]:
        large = self._store.run(self._timelines.large_authors())
        size = AUTHORS_IN_A_QUERY
        parts = [large[start : start + size] for start in range(0, len(large), size)]
        followed = self._store.run_all(self._follows.followed_among(reader, part) for part in parts)
        return sorted(set[str]().union(*followed))

    def _entries(
        self, reader: str, large: list[str], below: ScoredMember | None, count: int
    ) -> list[ScoredMember]:
        """Return the next `count` entries of the feed, or all if there are fewer; some may be unreadable.

        The feed ends where a full timeline ends: below, it would show large authors only.
        """
        timeline = self._store.run(self._timelines.read(reader, below, count))
        highest = None if below is None else below.score
        newest = self._store.run(self._posts.newest(large, highest, count + 1))
        entries = {ScoredMember(post, f"{author}:{post}") for author, ids in newest.items() for post in ids}
        merged = entries.union(timeline.entries)
        following = [entry for entry in merged if below is None or entry < below]
        return sorted((entry for entry in following if entry.score >= timeline.floor), reverse=True)[:count]

    def _readable(self, reader: str, entries: list[ScoredMember]) -> dict[ScoredMember, Post]:
        """Return the posts of entries, where the reader may see them."""
        ids: dict[str, list[int]] = defaultdict(list)
        for post, member in entries:
            ids[member.partition(":")[0]].append(post)
        if not ids:
            return {}
        authors = sorted(ids)
        queries = [self._posts.written(author, reader, ids[author]) for author in authors]
        followed, *found = self._store.run_all([self._follows.followed_among(reader, authors), *queries])
        return _by_entry(found, followed)


def _by_entry(found: list[Any], followed: set[str]) -> dict[ScoredMember, Post]:
    readable: list[AuthoredPosts] = [
        written for written in found if written and written.author.handle in followed
    ]
    return {
        ScoredMember(post.id, f"{written.author.handle}:{post.id}"): shown(written.author, post)
        for written in readable
        for post in written.posts
    }


def _entry(cursor: str) -> ScoredMember:
    post, author = USER_CURSOR.decode(cursor, "cursor")
    return ScoredMember(post, f"{author}:{post}")


def _page(posts: list[Post], end: ScoredMember | None) -> PostPage:
    last = None if end is None else ScoredMember(end.score, end.member.partition(":")[0])
    return PostPage(posts=posts, next=None if last is None else USER_CURSOR.encode(last))
