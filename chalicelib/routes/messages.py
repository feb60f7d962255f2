"""Messages of a chat: send and read."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import Call, Response, Who, no_content, reply, route
from chalicelib.schemas.messages import (
    DeleteQuery,
    EditRequest,
    Message,
    Page,
    PageQuery,
    SendRequest,
    SentMessage,
    ThreadPage,
    ThreadQuery,
)
from chalicelib.services.auth.caller import Caller
from chalicelib.services.messages.changes import change_in
from chalicelib.services.values.cursors import seq_of

blueprint = Blueprint(__name__)

MESSAGES = "/v1/chats/{chat}/messages"
MESSAGE = MESSAGES + "/{seq}"
REFUSALS = (errors.BadRequest, errors.NotAMember, errors.ChatNotFound, errors.StoreUnavailable)
CHANGING = (*REFUSALS, errors.Forbidden, errors.MessageNotFound, errors.MessageDeleted, errors.StoreFull)
WRITING = (
    errors.UserNotFound,
    errors.Blocked,
    errors.IdConflict,
    errors.TextTooLong,
    errors.TextRefused,
    errors.FilterUnavailable,
    errors.SlowMode,
)


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
    MESSAGE,
    {200: Message},
    fails=(*REFUSALS, errors.MessageNotFound),
)
def one(call: Call, caller: Caller, chat: str, seq: str) -> Response:
    """Read one message of a chat; the ETag is the number of its last change."""
    return _versioned(call.services.messages.one(caller, chat, seq))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    MESSAGE + "/thread",
    {200: ThreadPage},
    query=ThreadQuery,
    fails=(*REFUSALS, errors.MessageNotFound, errors.HistoryChanged),
)
def thread(call: Call, caller: Caller, chat: str, seq: str) -> Response:
    """Read the thread of a message: its first message, and a page of the replies in order.

    A reply to a reply joins the same thread, so any message of the thread names it. A deleted reply leaves
    the thread. A reply is no change of the first message: a client that has the chat's messages can count.
    """
    query = call.query(ThreadQuery)
    return reply(call.services.threads.page(caller, chat, seq, query.after, query.limit))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "PATCH",
    MESSAGE,
    {200: Message},
    body=EditRequest,
    example={"text": "Tea at five?"},
    fails=(
        *CHANGING,
        errors.MessageChanged,
        errors.TextTooLong,
        errors.TextRefused,
        errors.FilterUnavailable,
        errors.Blocked,
    ),
)
def edit(call: Call, caller: Caller, chat: str, seq: str) -> Response:
    """Change the text or data of the caller's own message.

    With `If-Match`, the message must still have that change; `*` matches any.
    """
    request, if_change = call.body(EditRequest), change_in(call.header("if-match"))
    changer, number = call.services.message_changes, seq_of(seq, "seq")
    changed = changer.edit(caller, chat, number, request, if_change=if_change)
    return _versioned(call.services.messages.shown(caller, chat, changed.entry))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "DELETE",
    MESSAGE,
    {204: None},
    query=DeleteQuery,
    fails=(*CHANGING, errors.TooManyHidden),
)
def delete(call: Call, caller: Caller, chat: str, seq: str) -> Response:
    """Delete a message for all, or for oneself.

    For all: one's own, or as an admin or owner of a group or room any. Its text
    leaves the store at once. The message remains as deleted, with who deleted it and when.
    For me: it is hidden from you on all your devices, and nobody else learns of it.
    """
    query, number = call.query(DeleteQuery), seq_of(seq, "seq")
    if query.for_ == "me":
        call.services.message_hider.hide(caller, chat, number)
    else:
        call.services.message_changes.delete(caller, chat, number)
    return no_content()


def _versioned(message: Message) -> Response:
    """Return the reply with a message, and its last change as the ETag."""
    return reply(message, headers={"ETag": f'"{message.change or 0}"'})
