"""How follows, blocks, posts and the feed are put together."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.services.social.blocks import BlockService
from chalicelib.services.social.feed import Feed
from chalicelib.services.social.follows import FollowService
from chalicelib.services.social.posts import PostService
from chalicelib.services.social.relations import Relations
from chalicelib.services.social.user_pages import UserPages
from chalicelib.services.stores import Stores
from chalicelib.services.values.names import Names


class SocialUseCases:
    """Follows, blocks, posts and the feed.

    notify_watcher: Shows a watcher a user's presence after a block or its end, by the handles of both.
    """

    def __init__(
        self, stores: Stores, names: Names, jobs: PendingJobs, notify_watcher: Callable[[str, str], object]
    ) -> None:
        store, follows, posts, cards = stores.client, stores.follows, stores.posts, stores.user_cards
        relations, pages = Relations(store, names, stores.accounts), UserPages(store, cards)
        self.follows = FollowService(store, follows, relations, pages, jobs)
        self.blocks = BlockService(store, stores.blocks, relations, pages, jobs, notify_watcher)
        self.posts = PostService(store, posts, cards, relations, jobs)
        self.feed = Feed(store, follows, posts, stores.timelines)
