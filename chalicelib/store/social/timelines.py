"""Timelines: for each user, the posts of followed users."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from chalicelib.store import keys
from chalicelib.store.partitions import Grouping
from chalicelib.store.redis.query import Batch, Query, UserBatch
from chalicelib.store.redis.scripts import Script
from chalicelib.store.redis.sorted_sets import ScoredMember, page, scored_members

FAN_OUT_POSTS = Script("social/fan_out_posts")

MAX_POSTS = 1000
"""Maximum number of posts in a timeline."""
POSTS_AT_ONCE = 250
ENTRIES_AT_ONCE = 2500
"""Maximum of posts times timelines that one call writes: a few milliseconds of the store."""


class TimelinePage(NamedTuple):
    """A part of a timeline, the newest post first; floor: the oldest id in a full timeline, else 0."""

    entries: list[ScoredMember]
    floor: int


class Timelines:
    """The timelines, and the authors that are not in them. Their keys:

    `{u<NNN>}:timeline:<handle>`: ZSET, no expiry, the newest MAX_POSTS. score: a post's id. member:
        `<author>:<id>`. It holds no text, and may name deleted posts and authors no longer followed.
    `{u000}:large_authors`: SET, no expiry: handles of authors who ever had too many followers for it.
    """

    def put(self, readers: Sequence[str], author: str, ids: Sequence[int]) -> UserBatch[list[int]]:
        """Return the batch that puts posts into the timelines of readers, except deleted ones; idempotent."""
        return UserBatch(functools.partial(_putting, readers, author, ids), list)

    def read(self, reader: str, below: ScoredMember | None, limit: int) -> Batch[TimelinePage]:
        """Return the batch for a page of a timeline."""
        key, last = keys.timeline(reader), MAX_POSTS - 1
        oldest = Query("ZREVRANGE", (key,), (last, last, "WITHSCORES"), scored_members)
        return Batch([page(key, below, limit), oldest], _page)

    def large_authors(self) -> Query[list[str]]:
        """Return the query for the authors whose posts are not put into timelines."""
        return Query("SMEMBERS", (keys.large_authors(),), read=_texts)

    def add_large_author(self, handle: str) -> Query[object]:
        """Return the query after which an author's posts are not put into timelines."""
        return Query("SADD", (keys.large_authors(),), (handle,))

    def remove_large_author(self, handle: str) -> Query[object]:
        """Return the query that removes a deleted author from the large ones."""
        return Query("SREM", (keys.large_authors(),), (handle,))


def _page(results: list[list[ScoredMember]]) -> TimelinePage:
    entries, full = results
    return TimelinePage(entries, full[0].score if full else 0)


def _texts(reply: list[bytes]) -> list[str]:
    return [text.decode() for text in reply]


def _putting(readers: Sequence[str], author: str, ids: Sequence[int], grouping: Grouping) -> list[Query[int]]:
    parts = [ids[start : start + POSTS_AT_ONCE] for start in range(0, len(ids), POSTS_AT_ONCE)]
    groups = grouping(readers, 2)
    return [query for part in parts for group in groups for query in _putting_part(group, author, part)]


def _putting_part(readers: Sequence[str], author: str, ids: Sequence[int]) -> Iterator[Query[int]]:
    entries = tuple(text for post in ids for text in (post, f"{author}:{post}"))
    most = max(1, ENTRIES_AT_ONCE // len(ids))
    for first in range(0, len(readers), most):
        named = (key(one) for one in readers[first : first + most] for key in (keys.user, keys.timeline))
        yield Query(FAN_OUT_POSTS, tuple(named), (MAX_POSTS, *entries))
