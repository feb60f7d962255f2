"""Search in messages, find groups, list rooms."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import Call, Response, Who, reply, route
from chalicelib.schemas.message_search import MessageSearchPage, MessageSearchQuery
from chalicelib.schemas.search import GroupQuery, PublicChatPage, RoomQuery
from chalicelib.services.auth.caller import Caller

blueprint = Blueprint(__name__)

READING = (errors.BadRequest,)
SEARCHING = (errors.NotAMember, errors.ChatNotFound, errors.HistoryChanged)


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    "/v1/search",
    {200: MessageSearchPage},
    query=MessageSearchQuery,
    fails=(*READING, *SEARCHING),
    rate="search",
)
def messages(call: Call, caller: Caller) -> Response:
    """Search in the texts of the messages that you can read, newest first.

    A message is found if it has all words of `q`, the last one also as the beginning of a word. Without
    `chat` the search is in all chats of your inbox. A page looks at a limited number of messages, so it may
    have few hits, or none, and still a `next`.
    """
    query = call.query(MessageSearchQuery)
    found = call.services.message_search.page(
        caller, query.q, query.chat, query.sender, query.before, query.limit
    )
    return reply(found)


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
