"""The inbox, the sync, and what a reader keeps of a chat."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import Call, Who, no_content, reply, route
from chalicelib.schemas.history_check import SyncRequest, SyncWithHistoryCheck
from chalicelib.schemas.inbox import (
    Changes,
    ChangesQuery,
    Flags,
    Inbox,
    InboxQuery,
    ReadUpTo,
    Receipts,
    ReceiptsQuery,
    Sync,
    SyncQuery,
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
    """Read the caller's chats, the one that was active last first."""
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
    """Read which chats have moved since a sync, each as it is now.

    A token may be of any age. One of a history that the store has lost since is answered with `reset`.
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
    """Read which chats have moved since a sync, and of which chats the store has lost messages.

    `check` has the newest message that you hold of each chat of which you have received or sent one since
    your last sync, for which a token alone cannot tell. A call counts as one more for each ten of them.
    """
    request = call.body(SyncRequest)
    return reply(call.services.history_check.page(caller, request))


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
    """Say up to which message the caller has read; the mark only rises.

    It takes the mark of being unread away.
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
    """Say up to which message the caller has received; the mark only rises."""
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
    """Read how far the members of a chat have come, by handle."""
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
    """Mark a chat as unread, pin, mute or archive it for the caller alone, or no more."""
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
    """Read what has changed of a group or room and of its members, each subject once.

    A cursor of a history that the store has lost since is answered with `history_changed`.
    """
    query = call.query(ChangesQuery)
    return reply(call.services.changelog.page(caller, chat, query.since, query.limit))
