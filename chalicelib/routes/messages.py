"""Messages of a chat: send and read."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import Call, Response, Who, reply, route
from chalicelib.schemas.messages import Message, Page, PageQuery, SendRequest, SentMessage
from chalicelib.services.auth.caller import Caller

blueprint = Blueprint(__name__)

MESSAGES = "/v1/chats/{chat}/messages"
REFUSALS = (errors.BadRequest, errors.NotAMember, errors.ChatNotFound, errors.StoreUnavailable)
WRITING = (errors.UserNotFound, errors.Blocked, errors.IdConflict, errors.TextTooLong)


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "POST",
    MESSAGES,
    {201: SentMessage},
    body=SendRequest,
    example={"text": "hello", "id": "0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10"},
    fails=(*REFUSALS, *WRITING, errors.MessageNotFound, errors.StoreFull),
)
def send(call: Call, caller: Caller, chat: str) -> Response:
    """Send a message to a chat, at most once for an id.

    The id is the body's `id` or the `Idempotency-Key` header. For 24 hours, sending the same id with the same
    content again answers the first message, marked `duplicate`.
    """
    request = call.body(SendRequest)
    request.id = call.idempotency_id(request.id)
    sent = call.services.messages.send(caller, chat, request)
    return reply(sent, 201, {"Location": f"{call.path}/{sent.seq}"})


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    MESSAGES,
    {200: Page},
    query=PageQuery,
    fails=(*REFUSALS, errors.HistoryChanged),
)
def page(call: Call, caller: Caller, chat: str) -> Response:
    """Read messages of a chat: after a cursor, before one, or the newest.

    They come in the order in which they were sent.     A cursor stays valid while others write. If the
    store has lost data since the cursor was made, the answer is `history_changed`.
    """
    query = call.query(PageQuery)
    found = call.services.messages.page(
        caller, chat, after=query.after, before=query.before, limit=query.limit
    )
    return reply(found)


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    MESSAGES + "/{seq}",
    {200: Message},
    fails=(*REFUSALS, errors.MessageNotFound),
)
def one(call: Call, caller: Caller, chat: str, seq: str) -> Response:
    """Read one message of a chat."""
    return reply(call.services.messages.one(caller, chat, seq))
