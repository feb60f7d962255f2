"""Users who follow, block and post on a store, wired as the application wires them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from chalicelib.config import Settings
from chalicelib.queues import JobQueue
from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.services.social.blocks import BlockService
from chalicelib.services.social.edge_mirror import EdgeMirror
from chalicelib.services.social.edge_removal import EdgeRemoval
from chalicelib.services.social.feed import Feed
from chalicelib.services.social.follows import FollowService
from chalicelib.services.social.posts import PostFanOut, PostService
from chalicelib.services.social.relations import Relations
from chalicelib.services.social.user_pages import UserPages
from chalicelib.services.values.names import Names
from chalicelib.store import keys
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.accounts.user_cards import UserCards
from chalicelib.store.redis.client import Store
from chalicelib.store.social.blocks import Blocks
from chalicelib.store.social.follows import Follows
from chalicelib.store.social.posts import Posts
from chalicelib.store.social.timelines import Timelines
from chalicelib.store.work.pending import PendingWork
from tests.store.log_records import RawClient

LATER_SECONDS = 60.0
ROUNDS = 5
"""The number of sweeps after which nothing may be pending: a sweep may record more work."""


class Society:
    """The use cases on a store; its clock is ahead, so that a sweep runs pending work at once.

    large: maximum number of followers of an author whose posts enter timelines.
    """

    def __init__(self, store: Store, large: int = 10_000) -> None:
        self.store = store
        self.accounts, self.follows, self.blocks = Accounts(), Follows(), Blocks()
        self.posts, self.timelines, self.cards = Posts(), Timelines(), UserCards()
        self.pending_work = PendingWork()
        self.edge_mirror = EdgeMirror(store, self.follows, self.posts, self.timelines)
        self.fan_out = PostFanOut(store, self.follows, self.posts, self.timelines, large)
        handlers: dict[str, Any] = {
            "index": lambda handle: None,
            "follow": self.edge_mirror.follow,
            "block": self.edge_mirror.block,
            "posts": self.fan_out.run,
            "delete": EdgeRemoval(store, self.follows, self.timelines).remove,
        }
        queue = JobQueue(Settings(), store)
        self.work = PendingJobs(
            store, self.pending_work, queue, handlers, lambda: time.time() + LATER_SECONDS
        )
        relations = Relations(store, Names(open_names=False), self.accounts)
        pages = UserPages(store, self.cards)
        self.following = FollowService(store, self.follows, relations, pages, self.work)
        self.blocking = BlockService(store, self.blocks, relations, pages, self.work, lambda *_: None)
        self.writing = PostService(store, self.posts, self.cards, relations, self.work)
        self.feeds = Feed(store, self.follows, self.posts, self.timelines)

    def settle(self, *handles: str) -> None:
        """Make accounts."""
        for handle in handles:
            assert self.store.run(self.accounts.create(Account(handle=handle, name=handle.title())))

    def delete(self, handle: str) -> None:
        """Delete an account."""
        self.store.run(self.accounts.delete(handle))
        self.work.try_now(f"delete:{handle}")

    def settled(self) -> None:
        """Sweep until nothing is pending."""
        for _ in range(ROUNDS):
            if not self.work.sweep():
                return
        assert self.store.run(self.pending_work.all()) == []

    def post(self, handle: str, text: str) -> str:
        """Post a text, as far as the queue; return the id."""
        return self.writing.add(handle, text).id

    def feed(self, reader: str, limit: int = 20) -> list[str]:
        """Return the texts of a whole feed, page by page."""
        texts, cursor = list[str](), None
        while True:
            page = self.feeds.page(reader, cursor, limit)
            assert len(page.posts) <= limit
            texts += [post.text for post in page.posts]
            if (cursor := page.next) is None:
                return texts


def edges(raw: RawClient, key: str) -> dict[str, int]:
    """Return the members of a sorted set with their scores."""
    found: Any = raw.zrange(key, 0, -1, withscores=True)
    return {member.decode(): int(score) for member, score in found}


def truth(raw: RawClient, handles: Iterable[str]) -> dict[tuple[str, str], int]:
    """Return every edge by the followers' own pages: (follower, followed) -> version."""
    return {
        (handle, target): version
        for handle in handles
        for target, version in edges(raw, keys.following(handle)).items()
    }


def mirrored(raw: RawClient, handles: Iterable[str]) -> dict[tuple[str, str], int]:
    """Return every edge by the pages of the followed; see `truth`."""
    return {
        (follower, handle): version
        for handle in handles
        for follower, version in edges(raw, keys.followers(handle)).items()
    }
