"""Follow and block users, and list them."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, Response, Who, no_content, reply, route
from chalicelib.schemas.social import ListQuery, PersonPage
from chalicelib.services.auth.caller import Caller

blueprint = Blueprint(__name__)

FOLLOWING = "/v1/users/me/following"
BLOCKED = "/v1/users/me/blocked"
READING = (errors.BadRequest,)
ENDING = (*READING, errors.UserNotFound)
MAKING = (*ENDING, errors.Forbidden, errors.StoreFull)


@route(
    blueprint,
    Who.ACCOUNT,
    "PUT",
    FOLLOWING + "/{handle}",
    {204: None},
    fails=(*MAKING, errors.Blocked),
    media_type=ANY_MEDIA_TYPE,
)
def follow(call: Call, caller: Caller, handle: str) -> Response:
    """Follow a user; repeating it changes nothing.

    A user follows at most 10,000 others. Where one of the two has blocked the other, neither can follow.
    """
    call.services.follows.follow(caller.handle, handle)
    return no_content()


@route(blueprint, Who.ACCOUNT, "DELETE", FOLLOWING + "/{handle}", {204: None}, fails=ENDING)
def unfollow(call: Call, caller: Caller, handle: str) -> Response:
    """Stop following a user; repeating it changes nothing."""
    call.services.follows.unfollow(caller.handle, handle)
    return no_content()


@route(blueprint, Who.ACCOUNT, "GET", FOLLOWING, {200: PersonPage}, query=ListQuery, fails=ENDING)
def my_following(call: Call, caller: Caller) -> Response:
    """List the users whom you follow, newest first."""
    handle, query = caller.handle, call.query(ListQuery)
    return reply(call.services.follows.following(handle, handle, query.cursor, query.limit))


@route(
    blueprint,
    Who.CALLER,
    "GET",
    "/v1/users/{handle}/following",
    {200: PersonPage},
    query=ListQuery,
    fails=ENDING,
)
def following(call: Call, caller: Caller, handle: str) -> Response:
    """List the users whom a user follows, newest first."""
    query = call.query(ListQuery)
    return reply(call.services.follows.following(caller.handle, handle, query.cursor, query.limit))


@route(
    blueprint,
    Who.CALLER,
    "GET",
    "/v1/users/{handle}/followers",
    {200: PersonPage},
    query=ListQuery,
    fails=ENDING,
)
def followers(call: Call, caller: Caller, handle: str) -> Response:
    """List the followers of a user, newest first."""
    query = call.query(ListQuery)
    return reply(call.services.follows.followers(caller.handle, handle, query.cursor, query.limit))


@route(
    blueprint,
    Who.ACCOUNT,
    "PUT",
    BLOCKED + "/{handle}",
    {204: None},
    fails=MAKING,
    media_type=ANY_MEDIA_TYPE,
)
def block(call: Call, caller: Caller, handle: str) -> Response:
    """Block a user; repeating it changes nothing.

    The two no longer follow each other. A blocked user cannot follow you, read your posts, or write to a
    direct chat with you. A user blocks at most 10,000 others.
    """
    call.services.blocks.block(caller.handle, handle)
    return no_content()


@route(blueprint, Who.ACCOUNT, "DELETE", BLOCKED + "/{handle}", {204: None}, fails=ENDING)
def unblock(call: Call, caller: Caller, handle: str) -> Response:
    """Unblock a user; repeating it changes nothing.

    Follows that the block ended do not come back.
    """
    call.services.blocks.unblock(caller.handle, handle)
    return no_content()


@route(blueprint, Who.ACCOUNT, "GET", BLOCKED, {200: PersonPage}, query=ListQuery, fails=READING)
def blocked(call: Call, caller: Caller) -> Response:
    """List the users whom you have blocked, newest first."""
    query = call.query(ListQuery)
    return reply(call.services.blocks.blocked(caller.handle, query.cursor, query.limit))
