"""Follows, blocks, posts and the feed on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.messages import MAX_PAGE, Time
from chalicelib.schemas.users import Avatar, Name

MAX_POST_BYTES = 4 * 1024
MAX_POSTS = 100
"""Posts on a page: as many of the longest, escaped twice, fit a reply of Lambda's."""

PageCursor = Annotated[str, Meta(description="The `next` of the page before.")]
Next = Annotated[
    str | None,
    Meta(description="Pass as `cursor` for more; null at the end. A page may be short and still have it."),
]


class Person(Struct, kw_only=True):
    """A user, as lists show them."""

    handle: str
    name: Name
    avatar: Avatar | None


class ListedPerson(Person, kw_only=True):
    """A user on a list, and since when."""

    since: Time


class PersonPage(Struct, kw_only=True):
    """A page of users, the one who came last first; deleted ones are left out."""

    users: list[ListedPerson]
    next: Next


class ListQuery(Struct):
    """Which users of a list."""

    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 50


class NewPost(Struct, forbid_unknown_fields=True):
    """A post to make."""

    text: Annotated[
        str,
        Meta(
            description="Up to 4 KiB of UTF-8, kept as sent. It has a character that can be seen, and no NUL."
        ),
    ]


class Post(Struct, kw_only=True):
    """A post, and who made it."""

    id: Annotated[str, Meta(description="Digits; a later post of the author has a larger number.")]
    author: Person
    text: str
    posted_at: Time


class PostsQuery(Struct):
    """Which posts."""

    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_POSTS)] = 20


class PostPage(Struct, kw_only=True):
    """A page of posts, the newest first."""

    posts: list[Post]
    next: Next
