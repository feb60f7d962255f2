"""Posts and the feed."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import Call, Response, Who, no_content, reply, route
from chalicelib.schemas.social import NewPost, Post, PostPage, PostsQuery
from chalicelib.services.auth.caller import Caller

blueprint = Blueprint(__name__)

READING = (errors.BadRequest,)


@route(
    blueprint,
    Who.ACCOUNT,
    "POST",
    "/v1/posts",
    {201: Post},
    body=NewPost,
    example={"text": "hello"},
    fails=(*READING, errors.UserNotFound, errors.TextTooLong, errors.StoreFull),
)
def add(call: Call, caller: Caller) -> Response:
    """Write a post for the caller's followers."""
    return reply(call.services.posts.add(caller.handle, call.body(NewPost).text), 201)


@route(
    blueprint, Who.ACCOUNT, "DELETE", "/v1/posts/{post}", {204: None}, fails=(*READING, errors.PostNotFound)
)
def delete(call: Call, caller: Caller, post: str) -> Response:
    """Delete one of your own posts."""
    call.services.posts.delete(caller.handle, post)
    return no_content()


@route(
    blueprint,
    Who.CALLER,
    "GET",
    "/v1/users/{handle}/posts",
    {200: PostPage},
    query=PostsQuery,
    fails=(*READING, errors.UserNotFound, errors.Blocked),
)
def page(call: Call, caller: Caller, handle: str) -> Response:
    """Read a user's posts, newest first."""
    query = call.query(PostsQuery)
    return reply(call.services.posts.page(caller.handle, handle, query.cursor, query.limit))


@route(blueprint, Who.ACCOUNT, "GET", "/v1/feed", {200: PostPage}, query=PostsQuery, fails=READING)
def feed(call: Call, caller: Caller) -> Response:
    """Read the posts of the users whom the caller follows, newest first.

    A cursor stays valid while posts come and go. The feed holds the newest 1,000 posts of ordinary authors,
    and posts of authors with many followers as far back in time.
    """
    query = call.query(PostsQuery)
    return reply(call.services.feed.page(caller.handle, query.cursor, query.limit))
