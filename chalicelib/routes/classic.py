"""Send and pull on the paths, and in the forms, of the servers that Parley replaces."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, no_content, reply, route
from chalicelib.schemas.messages import ClassicMessage, ClassicPage, ClassicPull, ClassicSend

blueprint = Blueprint(__name__)

REFUSALS = (errors.BadRequest, errors.NotAuthenticated, errors.StoreUnavailable)


@route(
    blueprint,
    "POST",
    "/api/send",
    {204: None, 201: ClassicMessage},
    body=ClassicSend,
    example={"chat": "alice:bob", "sender": "alice", "text": "hello"},
    fails=(*REFUSALS, errors.IdConflict, errors.TextTooLong, errors.StoreFull),
    media_type=ANY_MEDIA_TYPE,
)
def send(call: Call) -> Response:
    """Append a message to a chat of two, named by its chat or by sender and receiver.

    The fields may come as query parameters instead. With `Prefer: return=representation` the answer is
    201 and the message.
    """
    call.admit_unnamed()
    request = call.body_or_query(ClassicSend)
    request.id = call.idempotency_id(request.id)
    sent = call.services.classic.send(request)
    return reply(sent, 201) if call.prefers_representation else no_content()


@route(blueprint, "GET", "/api/pull", {200: ClassicPage}, query=ClassicPull, fails=REFUSALS)
def pull(call: Call) -> Response:
    """Read messages of a chat of two by position; a JSON body may stand for the query parameters."""
    call.admit_unnamed()
    return reply(call.services.classic.pull(call.body_or_query(ClassicPull)))


@route(
    blueprint,
    "POST",
    "/api/pull",
    {200: ClassicPage},
    body=ClassicPull,
    example={"chat": "alice:bob", "cursor": 0, "limit": 10},
    fails=REFUSALS,
    media_type=ANY_MEDIA_TYPE,
)
def pull_by_post(call: Call) -> Response:
    """Read messages of a chat of two by position, for clients that cannot send a body with GET."""
    call.admit_unnamed()
    return reply(call.services.classic.pull(call.body_or_query(ClassicPull)))
