"""Posts, stored with their authors."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chalicelib.store import keys
from chalicelib.store.accounts.user_cards import UserCard, card
from chalicelib.store.redis.query import Query, UserBatch, of_users
from chalicelib.store.redis.scripts import Script

ADD_POST = Script("social/add_post")
READ_NEWEST_POSTS = Script("social/read_newest_posts")
RECORD_SENT_POSTS = Script("social/record_sent_posts")
READ_POSTS = Script("social/read_posts")
READ_UNSENT_POSTS = Script("social/read_unsent_posts")

ID = slice(0, 8)
TEXT = slice(8, None)


class Post(NamedTuple):
    """A post; id: The time in µs at which it was made."""

    id: int
    text: str


class Unsent(NamedTuple):
    """Posts that may not have reached all followers, the newest first.

    upto: Id of the newest post that the author ever made, also a deleted one.
    """

    upto: int
    ids: list[int]


class AuthoredPosts(NamedTuple):
    """Posts of a user, and the user's public fields."""

    author: UserCard
    posts: list[Post]


class Posts:
    """The posts of users. Their key, in the author's partition:

    `{u<NNN>}:posts:<handle>`: ZSET, no expiry. score: the post's id, the time in µs at which it was made,
        always rising for an author by `posted` in the account. member: 8 bytes of the id, big-endian, then
        the text in UTF-8.
    `posts:<handle>` is pending from the moment of a post until `sent` in the account, the id up to which all
    posts have reached the followers, is not below it. Repeats put the same posts into the same timelines.
    """

    def add(self, handle: str, text: str) -> Query[int | None]:
        """Return the query that adds a post; its result is the post's id; None: there is no account.

        The delivery to followers is recorded as pending. A call that raises StoreUnavailable may have stored
        the post.
        """
        named = (keys.user(handle), keys.posts(handle), keys.pending(handle))
        return Query(ADD_POST, named, (item(handle), text), lambda made: made or None, repeatable=False)

    def delete(self, handle: str, post: int) -> Query[bool]:
        """Return the query that deletes a post; False: there was none."""
        return Query("ZREMRANGEBYSCORE", (keys.posts(handle),), (post, post), bool)

    def page(self, handle: str, before: int | None, limit: int) -> Query[list[Post]]:
        """Return the query for a user's posts with ids below one (None: any), the newest first."""
        highest = "+inf" if before is None else f"({before}"
        args = (highest, "-inf", "LIMIT", 0, limit)
        return Query("ZREVRANGEBYSCORE", (keys.posts(handle),), args, lambda reply: list(map(_post, reply)))

    def written(self, handle: str, reader: str, ids: Iterable[int]) -> Query[AuthoredPosts | None]:
        """Return the query for the existing posts among some ids.

        None: the author's account is deleted, or the author has blocked the reader.
        """
        named = (keys.user(handle), keys.posts(handle), keys.blocked(handle))
        return Query(READ_POSTS, named, (reader, *ids), functools.partial(_written, handle))

    def newest(self, handles: Iterable[str], upto: int | None, limit: int) -> UserBatch[dict[str, list[int]]]:
        """Return the batch for the ids of users' newest posts, `limit` of each, newest first.

        upto: The highest id to return, µs since 1970; None: any.
        """
        args = ("" if upto is None else upto, limit)
        return of_users(handles, 1, functools.partial(_newest, args), _joined)

    def unsent(self, handle: str, limit: int) -> Query[Unsent | None]:
        """Return the query for the posts that may not have reached all followers; None: all have.

        limit: Maximum number of posts; the newest are returned.
        """
        return Query(READ_UNSENT_POSTS, (keys.user(handle), keys.posts(handle)), (limit,), _unsent)

    def sent(self, handle: str, upto: int) -> Query[object]:
        """Return the query that records that all posts up to an id have reached the followers."""
        return Query(RECORD_SENT_POSTS, (keys.user(handle),), (upto,))


def item(handle: str) -> str:
    """Return the pending item of posts."""
    return f"posts:{handle}"


def _post(member: bytes) -> Post:
    return Post(int.from_bytes(member[ID]), member[TEXT].decode())


def _written(handle: str, reply: list[bytes]) -> AuthoredPosts | None:
    if not reply:
        return None
    name, avatar, *posts = reply
    return AuthoredPosts(card(handle, name, avatar), list(map(_post, posts)))


def _newest(args: tuple[str | int, ...], handles: Sequence[str]) -> Query[dict[str, list[int]]]:
    read = functools.partial(_by_author, handles)
    return Query(READ_NEWEST_POSTS, tuple(map(keys.posts, handles)), args, read)


def _by_author(handles: Sequence[str], reply: Sequence[list[bytes]]) -> dict[str, list[int]]:
    return {handle: _ids(ids) for handle, ids in zip(handles, reply, strict=True)}


def _joined(parts: Sequence[dict[str, list[int]]]) -> dict[str, list[int]]:
    return {handle: ids for part in parts for handle, ids in part.items()}


def _unsent(reply: list[bytes]) -> Unsent | None:
    return Unsent(int(reply[0]), _ids(reply[1:])) if reply else None


def _ids(packed: Sequence[bytes]) -> list[int]:
    return [int.from_bytes(one) for one in packed]
