"""Following, blocking, and the lists of both."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, no_content, reply, route
from chalicelib.schemas.social import ListQuery, PersonPage

blueprint = Blueprint(__name__)

FOLLOWING = "/v1/users/me/following"
BLOCKED = "/v1/users/me/blocked"
READING = (errors.BadRequest,)
ENDING = (*READING, errors.UserNotFound)
MAKING = (*ENDING, errors.Forbidden, errors.StoreFull)


@route(
    blueprint,
    "PUT",
    FOLLOWING + "/{handle}",
    {204: None},
    fails=(*MAKING, errors.Blocked),
    account=True,
    media_type=ANY_MEDIA_TYPE,
)
def follow(call: Call, handle: str) -> Response:
    """Follow a user; again is no change.

    A user follows 10,000 at the most. Who has blocked the caller, or whom the caller has blocked, cannot be
    followed.
    """
    call.services.follows.follow(call.account.handle, handle)
    return no_content()


@route(blueprint, "DELETE", FOLLOWING + "/{handle}", {204: None}, fails=ENDING, account=True)
def unfollow(call: Call, handle: str) -> Response:
    """Follow a user no more; again is no change."""
    call.services.follows.unfollow(call.account.handle, handle)
    return no_content()


@route(blueprint, "GET", FOLLOWING, {200: PersonPage}, query=ListQuery, fails=ENDING, account=True)
def my_following(call: Call) -> Response:
    """List whom the caller follows, the newest first."""
    handle, query = call.account.handle, call.query(ListQuery)
    return reply(call.services.follows.following(handle, handle, query.cursor, query.limit))


@route(
    blueprint,
    "GET",
    "/v1/users/{handle}/following",
    {200: PersonPage},
    query=ListQuery,
    fails=ENDING,
    caller=True,
)
def following(call: Call, handle: str) -> Response:
    """List whom a user follows, the newest first."""
    query = call.query(ListQuery)
    return reply(call.services.follows.following(call.caller.handle, handle, query.cursor, query.limit))


@route(
    blueprint,
    "GET",
    "/v1/users/{handle}/followers",
    {200: PersonPage},
    query=ListQuery,
    fails=ENDING,
    caller=True,
)
def followers(call: Call, handle: str) -> Response:
    """List who follows a user, the newest first."""
    query = call.query(ListQuery)
    return reply(call.services.follows.followers(call.caller.handle, handle, query.cursor, query.limit))


@route(
    blueprint,
    "PUT",
    BLOCKED + "/{handle}",
    {204: None},
    fails=MAKING,
    account=True,
    media_type=ANY_MEDIA_TYPE,
)
def block(call: Call, handle: str) -> Response:
    """Block a user; again is no change.

    It ends the follows between the two. Who is blocked cannot follow the caller, read the caller's posts, or
    write to a direct chat with the caller. A user blocks 10,000 at the most.
    """
    call.services.blocks.block(call.account.handle, handle)
    return no_content()


@route(blueprint, "DELETE", BLOCKED + "/{handle}", {204: None}, fails=ENDING, account=True)
def unblock(call: Call, handle: str) -> Response:
    """Block a user no more; again is no change. The follows that the block has ended stay ended."""
    call.services.blocks.unblock(call.account.handle, handle)
    return no_content()


@route(blueprint, "GET", BLOCKED, {200: PersonPage}, query=ListQuery, fails=READING, account=True)
def blocked(call: Call) -> Response:
    """List whom the caller has blocked, the newest first."""
    query = call.query(ListQuery)
    return reply(call.services.blocks.blocked(call.account.handle, query.cursor, query.limit))
