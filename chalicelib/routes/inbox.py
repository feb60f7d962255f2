"""The inbox: list chats, sync them, and keep read states and flags."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, Response, Who, no_content, reply, route
from chalicelib.schemas.changelog import Changes, ChangesQuery
from chalicelib.schemas.history_check import SyncRequest, SyncWithHistoryCheck
from chalicelib.schemas.inbox import (
    Flags,
    Inbox,
    InboxQuery,
    ReadChats,
    ReadUpTo,
    Receipts,
    ReceiptsQuery,
    Sync,
    SyncQuery,
    UnreadQuery,
    UnreadTotal,
)
from chalicelib.services.auth.caller import Caller

blueprint = Blueprint(__name__)

CHAT = "/v1/chats/{chat}"
READING = (errors.BadRequest,)
OF_CHAT = (errors.BadRequest, errors.NotAMember, errors.ChatNotFound)
MARKING = (*OF_CHAT, errors.HistoryChanged, errors.StoreFull)


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    "/v1/chats",
    {200: Inbox},
    query=InboxQuery,
    fails=READING,
)
def page(call: Call, caller: Caller) -> Response:
    """List the caller's chats, the most recently active first."""
    query = call.query(InboxQuery)
    return reply(call.services.inbox.page(caller, query.since, query.cursor, query.limit))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    "/v1/sync",
    {200: Sync},
    query=SyncQuery,
    fails=READING,
)
def sync(call: Call, caller: Caller) -> Response:
    """Read the chats that have changed since the last sync, each as it is now.

    A token may be of any age. If the store has lost data since, the answer has `reset`.
    """
    query = call.query(SyncQuery)
    return reply(call.services.sync.page(caller, query.since, query.limit))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "POST",
    "/v1/sync",
    {200: SyncWithHistoryCheck},
    body=SyncRequest,
    example={"check": [{"chat": "alice:bob", "cursor": "12.1764500000000000.1764400000000000"}]},
    fails=READING,
    rate="read",
)
def sync_with_history_check(call: Call, caller: Caller) -> Response:
    """Read the chats that have changed since the last sync, and check whether messages were lost.

    Send in `check` the newest message that you hold of each chat in which you have sent or received one since
    the last sync; a token alone does not cover these. Each ten of them count as one more request.
    """
    request = call.body(SyncRequest)
    return reply(call.services.history_check.page(caller, request))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    "/v1/unread",
    {200: UnreadTotal},
    query=UnreadQuery,
    fails=READING,
)
def unread(call: Call, caller: Caller) -> Response:
    """Count the unread messages in the caller's chats, in the 100 last active ones at a time.

    Each ten chats count as one more request.
    """
    return reply(call.services.unread.total(caller, call.query(UnreadQuery).cursor))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "POST",
    "/v1/read",
    {200: ReadChats},
    query=UnreadQuery,
    fails=(*READING, errors.StoreFull),
    media_type=ANY_MEDIA_TYPE,
)
def read_all(call: Call, caller: Caller) -> Response:
    """Mark all messages in the caller's chats as read, in the 100 last active ones at a time.

    Repeating it changes nothing. Each ten chats count as one more request.
    """
    return reply(call.services.read_all.read(caller, call.query(UnreadQuery).cursor))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "PUT",
    CHAT + "/read",
    {204: None},
    body=ReadUpTo,
    example={"seq": 12},
    fails=MARKING,
)
def read(call: Call, caller: Caller, chat: str) -> Response:
    """Mark the messages of a chat as read up to a seq, which never falls.

    The chat is no longer marked as unread.
    """
    upto = call.body(ReadUpTo)
    call.services.read_states.read(caller, chat, upto)
    return no_content()


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "PUT",
    CHAT + "/received",
    {204: None},
    body=ReadUpTo,
    example={"seq": 12},
    fails=MARKING,
)
def received(call: Call, caller: Caller, chat: str) -> Response:
    """Mark the messages of a chat as received up to a seq, which never falls."""
    upto = call.body(ReadUpTo)
    call.services.read_states.received(caller, chat, upto)
    return no_content()


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    CHAT + "/receipts",
    {200: Receipts},
    query=ReceiptsQuery,
    fails=OF_CHAT,
)
def receipts(call: Call, caller: Caller, chat: str) -> Response:
    """List how far each member has read and received, by handle."""
    query = call.query(ReceiptsQuery)
    return reply(call.services.read_states.page(caller, chat, query.cursor, query.limit))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "PATCH",
    CHAT + "/flags",
    {204: None},
    body=Flags,
    example={"pinned": True},
    fails=(*OF_CHAT, errors.StoreFull),
)
def flag(call: Call, caller: Caller, chat: str) -> Response:
    """Set or clear the caller's own flags of a chat: unread, pinned, muted, archived."""
    flags = call.body(Flags)
    call.services.read_states.flag(caller, chat, flags)
    return no_content()


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    CHAT + "/changes",
    {200: Changes},
    query=ChangesQuery,
    fails=(*OF_CHAT, errors.HistoryChanged),
)
def changes(call: Call, caller: Caller, chat: str) -> Response:
    """Read the changes of a group or room and of its members, the latest of each.

    If the store has lost data since the cursor was made, the answer is `history_changed`.
    """
    query = call.query(ChangesQuery)
    return reply(call.services.changelog.page(caller, chat, query.since, query.limit))
