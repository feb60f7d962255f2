"""Posts and the feed."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import Call, no_content, reply, route
from chalicelib.schemas.social import NewPost, Post, PostPage, PostsQuery

blueprint = Blueprint(__name__)

READING = (errors.BadRequest,)


@route(
    blueprint,
    "POST",
    "/v1/posts",
    {201: Post},
    body=NewPost,
    example={"text": "hello"},
    fails=(*READING, errors.UserNotFound, errors.TextTooLong, errors.StoreFull),
    account=True,
)
def add(call: Call) -> Response:
    """Post a text to those who follow the caller."""
    return reply(call.services.posts.add(call.account.handle, call.body(NewPost).text), 201)


@route(
    blueprint, "DELETE", "/v1/posts/{post}", {204: None}, fails=(*READING, errors.PostNotFound), account=True
)
def delete(call: Call, post: str) -> Response:
    """Delete one of the caller's own posts."""
    call.services.posts.delete(call.account.handle, post)
    return no_content()


@route(
    blueprint,
    "GET",
    "/v1/users/{handle}/posts",
    {200: PostPage},
    query=PostsQuery,
    fails=(*READING, errors.UserNotFound, errors.Blocked),
    caller=True,
)
def page(call: Call, handle: str) -> Response:
    """Read a user's posts, the newest first."""
    query = call.query(PostsQuery)
    return reply(call.services.posts.page(call.caller.handle, handle, query.cursor, query.limit))


@route(blueprint, "GET", "/v1/feed", {200: PostPage}, query=PostsQuery, fails=READING, account=True)
def feed(call: Call) -> Response:
    """Read the posts of those whom the caller follows, the newest first.

    A cursor stays right while posts come and go. The feed goes back over 1,000 posts of authors with not too
    many followers, and as far in time over those of the others.
    """
    query = call.query(PostsQuery)
    return reply(call.services.feeds.page(call.account.handle, query.cursor, query.limit))
