"""Follows, blocks, posts and the feed on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.messages import MAX_PAGE, Time
from chalicelib.schemas.users import Avatar, Name

MAX_POST_BYTES = 4 * 1024
MAX_POSTS = 100
"""Maximum number of posts on a page: so many of the longest, escaped twice, fit a reply of Lambda."""

PageCursor = Annotated[str, Meta(description="The `next` of the last page.")]
Next = Annotated[
    str | None,
    Meta(description="Pass as `cursor` for the next page; null at the end. A short page may have one too."),
]


class Person(Struct, kw_only=True):
    """A user as lists show them."""

    handle: str
    name: Name
    avatar: Avatar | None


class ListedPerson(Person, kw_only=True):
    """A user on a list, and since when they are on it."""

    since: Time


class PersonPage(Struct, kw_only=True):
    """A page of users, newest first, without deleted ones."""

    users: list[ListedPerson]
    next: Next


class ListQuery(Struct):
    """Which page of a list."""

    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 50


class NewPost(Struct, forbid_unknown_fields=True):
    """A post to make."""

    text: Annotated[
        str,
        Meta(
            description="Up to 4 KiB of UTF-8, kept as sent, with at least one visible character and no NUL."
        ),
    ]


class Post(Struct, kw_only=True):
    """A post and its author."""

    id: Annotated[str, Meta(description="A number; later posts of the author have larger ones.")]
    author: Person
    text: str
    posted_at: Time


class PostsQuery(Struct):
    """Which page of posts."""

    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_POSTS)] = 20


class PostPage(Struct, kw_only=True):
    """A page of posts, newest first."""

    posts: list[Post]
    next: Next
