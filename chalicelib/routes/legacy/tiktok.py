"""TikTok-IM's paths: send and pull in a chat of two."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, no_content, reply, route
from chalicelib.schemas.legacy.tiktok import TikTokMessage, TikTokPage, TikTokPull, TikTokSend

blueprint = Blueprint(__name__)

REFUSALS = (errors.BadRequest, errors.NotAMember, errors.TooManyRequests, errors.StoreUnavailable)
WRITING = (errors.Forbidden, errors.Blocked, errors.UserNotFound, errors.IdConflict, errors.TextTooLong)


@route(
    blueprint,
    "POST",
    "/api/send",
    {204: None, 201: TikTokMessage},
    body=TikTokSend,
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
    request = call.body_or_query(TikTokSend)
    request.id = call.idempotency_id(request.id)
    caller = call.speaking_as(lambda: call.services.names.user(request.sender, "sender"))
    sent = call.services.tiktok.send(caller, request)
    return reply(sent, 201) if call.prefers_representation else no_content()


@route(
    blueprint,
    "GET",
    "/api/pull",
    {200: TikTokPage},
    query=TikTokPull,
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
    {200: TikTokPage},
    body=TikTokPull,
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
    request = call.body_or_query(TikTokPull)
    caller = call.speaking_as(*call.services.tiktok.members(request))
    return reply(call.services.tiktok.pull(caller, request))
