"""Find groups, list rooms."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import Call, Response, Who, reply, route
from chalicelib.schemas.search import GroupQuery, PublicChatPage, RoomQuery
from chalicelib.services.auth.caller import Caller

blueprint = Blueprint(__name__)

READING = (errors.BadRequest,)


@route(
    blueprint,
    Who.CALLER,
    "GET",
    "/v1/groups",
    {200: PublicChatPage},
    query=GroupQuery,
    fails=READING,
    rate="search",
)
def groups(call: Call, caller: Caller) -> Response:
    """Find groups and rooms by the beginning of any word of their name, or of a room's id.

    Groups that need an invitation are left out. Each chat comes once, and the order is the same on every
    page. A page may have fewer than `limit` chats and still a `next`.
    """
    query = call.query(GroupQuery)
    return reply(call.services.chat_search.groups(query.q, query.limit, query.cursor))


@route(
    blueprint,
    Who.CALLER,
    "GET",
    "/v1/rooms",
    {200: PublicChatPage},
    query=RoomQuery,
    fails=READING,
    rate="search",
)
def rooms(call: Call, caller: Caller) -> Response:
    """List all rooms, newest first."""
    query = call.query(RoomQuery)
    return reply(call.services.chat_search.rooms(query.limit, query.cursor))
