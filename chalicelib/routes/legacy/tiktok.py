"""Send and pull on the paths, and in the forms, of the servers that Parley replaces."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, no_content, reply, route
from chalicelib.schemas.messages import ClassicMessage, ClassicPage, ClassicPull, ClassicSend

blueprint = Blueprint(__name__)

REFUSALS = (errors.BadRequest, errors.NotAMember, errors.TooManyRequests, errors.StoreUnavailable)
WRITING = (errors.Forbidden, errors.Blocked, errors.UserNotFound, errors.IdConflict, errors.TextTooLong)


@route(
    blueprint,
    "POST",
    "/api/send",
    {204: None, 201: ClassicMessage},
    body=ClassicSend,
    example={"chat": "alice:bob", "sender": "alice", "text": "hello"},
    fails=(*REFUSALS, *WRITING, errors.StoreFull),
    media_type=ANY_MEDIA_TYPE,
    caller=True,
    judged_later=True,
)
def send(call: Call) -> Response:
    """Append a message to a chat of two, named by its chat or by sender and receiver.

    The fields may come as query parameters instead. With `Prefer: return=representation` the answer is
    201 and the message.
    """
    request = call.body_or_query(ClassicSend)
    request.id = call.idempotency_id(request.id)
    caller = call.speaking_as(lambda: call.services.names.user(request.sender, "sender"))
    sent = call.services.classic.send(caller, request)
    return reply(sent, 201) if call.prefers_representation else no_content()


@route(
    blueprint,
    "GET",
    "/api/pull",
    {200: ClassicPage},
    query=ClassicPull,
    fails=REFUSALS,
    caller=True,
    judged_later=True,
)
def pull(call: Call) -> Response:
    """Read messages of a chat of two by position; a JSON body may stand for the query parameters."""
    return _page(call)


@route(
    blueprint,
    "POST",
    "/api/pull",
    {200: ClassicPage},
    body=ClassicPull,
    example={"chat": "alice:bob", "cursor": 0, "limit": 10},
    fails=REFUSALS,
    media_type=ANY_MEDIA_TYPE,
    rate="read",
    caller=True,
    judged_later=True,
)
def pull_by_post(call: Call) -> Response:
    """Read messages of a chat of two by position, for clients that cannot send a body with GET."""
    return _page(call)


def _page(call: Call) -> Response:
    request = call.body_or_query(ClassicPull)
    caller = call.speaking_as(*call.services.classic.members(request))
    return reply(call.services.classic.pull(caller, request))
