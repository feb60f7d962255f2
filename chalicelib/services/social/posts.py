"""Posts, and their way into the timelines of followers."""

from __future__ import annotations

import re

from chalicelib.errors import PostNotFound, UserNotFound, bad_field
from chalicelib.schemas.social import MAX_POST_BYTES, Person, Post, PostPage
from chalicelib.services.jobs.pending_jobs import PendingJobs
from chalicelib.services.social.contact import check_contact
from chalicelib.services.social.relations import Relations
from chalicelib.services.values.cursors import USER_CURSOR
from chalicelib.services.values.message_limits import checked_text
from chalicelib.services.values.paging import page_of
from chalicelib.services.values.times import rfc3339
from chalicelib.store.accounts.user_cards import UserCard, UserCards
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.sorted_sets import ScoredMember
from chalicelib.store.social import posts as stored
from chalicelib.store.social.follows import Follows
from chalicelib.store.social.posts import Posts
from chalicelib.store.social.timelines import MAX_POSTS, Timelines

POST_ID = re.compile(r"[1-9]\d{0,15}", re.ASCII)


class PostService:
    """The rules of posts; handle: Handle of the caller."""

    def __init__(
        self, store: Store, posts: Posts, cards: UserCards, relations: Relations, work: PendingJobs
    ) -> None:
        self._store = store
        self._posts = posts
        self._cards = cards
        self._relations = relations
        self._work = work

    def add(self, handle: str, text: str) -> Post:
        """Add a post; the queue puts it into timelines. Raises BadRequest, TextTooLong, UserNotFound."""
        made = self._store.run(self._posts.add(handle, checked_text(text, "post", MAX_POST_BYTES)))
        author = self._store.run(self._cards.of([handle])).get(handle)
        if made is None or author is None:
            raise UserNotFound("Your account no longer exists.")
        self._work.enqueue(stored.item(handle))
        return shown(author, stored.Post(made, text))

    def delete(self, handle: str, post: str) -> None:
        """Delete one of the caller's posts; raises BadRequest, PostNotFound."""
        if not self._store.run(self._posts.delete(handle, _id_of(post))):
            raise PostNotFound(f"You have no post {post}.")

    def page(self, handle: str, name: str, cursor: str | None, limit: int) -> PostPage:
        """Read a page of a user's posts, newest first.

        Raises BadRequest; UserNotFound; Blocked if the author has blocked the caller.
        """
        author = self._relations.named(name, "handle")
        before = None if cursor is None else USER_CURSOR.decode(cursor, "cursor").score
        check_contact(author, self._relations.of(author, handle), needs_account=True)
        found = self._store.run(self._posts.page(author, before, limit + 1))
        card = self._store.run(self._cards.of([author])).get(author)
        if card is None:
            raise UserNotFound(f"The account of {author} no longer exists.")
        page = page_of(found, limit, lambda post: USER_CURSOR.encode(ScoredMember(post.id, author)))
        return PostPage(posts=[shown(card, post) for post in page.rows], next=page.next)


class PostFanOut:
    """Runs the pending jobs `posts:…`: puts the posts of an author into the timelines of the followers.

    An author with more followers than `large` becomes a large author for good: the feed reads posts of large
    authors from the authors themselves.
    """

    def __init__(
        self, store: Store, follows: Follows, posts: Posts, timelines: Timelines, large: int
    ) -> None:
        self._store = store
        self._follows = follows
        self._posts = posts
        self._timelines = timelines
        self._large = large

    def run(self, handle: str) -> None:
        """Put an author's new posts into the timelines of the followers.

        Later followers get the newest posts when they follow.
        """
        unsent = self._store.run(self._posts.unsent(handle, MAX_POSTS))
        if unsent is None:
            return
        followers = self._store.run(self._follows.some_followers(handle, self._large + 1))
        if len(followers) > self._large:
            self._store.run(self._timelines.add_large_author(handle))
        else:
            self._store.run(self._timelines.put(followers, handle, unsent.ids))
        self._store.run(self._posts.sent(handle, unsent.upto))


def _id_of(post: str) -> int:
    if not POST_ID.fullmatch(post):
        raise bad_field("post", "send the id of a post, a number")
    return int(post)


def shown(author: UserCard, post: stored.Post) -> Post:
    """Return a post as readers see it."""
    person = Person(handle=author.handle, name=author.name, avatar=author.avatar)
    return Post(id=str(post.id), author=person, text=post.text, posted_at=rfc3339(post.id))
