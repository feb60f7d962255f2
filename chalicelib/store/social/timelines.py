"""Timelines: of each user, which posts those they follow have made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chalicelib.store import keys, partitions
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script
from chalicelib.store.redis.sorted_sets import ScoredMember, page, scored_members

FAN_OUT_POSTS = Script("social/fan_out_posts")

MOST_POSTS = 1000
"""Posts in a timeline."""
POSTS_AT_ONCE = 250
ENTRIES_AT_ONCE = 2500
"""Posts, times timelines, that one call writes: a few milliseconds of the store."""


class TimelinePage(NamedTuple):
    """A part of a timeline, the newest post first; floor: the oldest id in a full timeline, else 0."""

    marks: list[ScoredMember]
    floor: int


class Timelines:
    """The timelines, and the authors that are not in them. Their keys:

    `{u<NNN>}:timeline:<handle>`: ZSET, no expiry, the newest MOST_POSTS. score: a post's id. member:
        `<author>:<id>`. It holds no text, and may name posts that are deleted and authors followed no more.
    `{u000}:large_authors`: SET, no expiry: handles of authors who ever had too many followers for it.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, readers: Sequence[str], author: str, ids: Sequence[int]) -> None:
        """Put posts into the timelines of readers, but of those who are gone; again is no change."""
        if ids:
            self._store.run_all(list(_putting(readers, author, ids)))

    def read(self, reader: str, below: ScoredMember | None, limit: int) -> TimelinePage:
        """Return a page of a timeline."""
        key = keys.timeline(reader)
        last = MOST_POSTS - 1
        oldest = Query("ZREVRANGE", (key,), (last, last, "WITHSCORES"), scored_members)
        marks, full = self._store.run_both(page(key, below, limit), oldest)
        return TimelinePage(marks, full[0].score if full else 0)

    def large_authors(self) -> list[str]:
        """Return the authors whose posts are not put into timelines."""
        query: Query[list[bytes]] = Query("SMEMBERS", (keys.large_authors(),))
        return [author.decode() for author in self._store.run(query)]

    def add_large_author(self, handle: str) -> None:
        """Leave an author's posts out of timelines from now on."""
        self._store.run(Query("SADD", (keys.large_authors(),), (handle,)))


def _putting(readers: Sequence[str], author: str, ids: Sequence[int]) -> Iterator[Query[int]]:
    for start in range(0, len(ids), POSTS_AT_ONCE):
        part = ids[start : start + POSTS_AT_ONCE]
        entries = tuple(text for post in part for text in (post, f"{author}:{post}"))
        most = max(1, ENTRIES_AT_ONCE // len(part))
        for group in partitions.by_partition(readers, each=2):
            for first in range(0, len(group), most):
                chunk = group[first : first + most]
                named = (key(reader) for reader in chunk for key in (keys.user, keys.timeline))
                yield Query(FAN_OUT_POSTS, tuple(named), (MOST_POSTS, *entries))
