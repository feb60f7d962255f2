"""TikTok-IM's paths: send and pull in a chat of two."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, CallerNamed, Response, Who, no_content, reply, route
from chalicelib.schemas.legacy.tiktok import TikTokMessage, TikTokPage, TikTokPull, TikTokSend

blueprint = Blueprint(__name__)

REFUSALS = (errors.BadRequest, errors.NotAMember, errors.TooManyRequests, errors.StoreUnavailable)
WRITING = (errors.Forbidden, errors.Blocked, errors.UserNotFound, errors.IdConflict, errors.TextTooLong)


@route(
    blueprint,
    Who.CALLER_NAMED,
    "POST",
    "/api/send",
    {204: None, 201: TikTokMessage},
    body=TikTokSend,
    example={"chat": "alice:bob", "sender": "alice", "text": "hello"},
    fails=(*REFUSALS, *WRITING, errors.StoreFull),
    media_type=ANY_MEDIA_TYPE,
)
def send(call: Call, caller_named: CallerNamed) -> Response:
    """Send a message to a chat of two.

    Name the chat by `chat`, or by `sender` and `receiver`. The fields may be query parameters instead.
    With `Prefer: return=representation` the answer is 201 and the message.
    """
    request = call.body_or_query(TikTokSend)
    request.id = call.idempotency_id(request.id)
    caller = caller_named(lambda: call.services.names.user(request.sender, "sender"))
    sent = call.services.tiktok.send(caller, request)
    return reply(sent, 201) if call.prefers_representation else no_content()


@route(
    blueprint,
    Who.CALLER_NAMED,
    "GET",
    "/api/pull",
    {200: TikTokPage},
    query=TikTokPull,
    fails=REFUSALS,
)
def pull(call: Call, caller_named: CallerNamed) -> Response:
    """Read messages of a chat of two by position.

    The query parameters may be a JSON body instead.
    """
    return _page(call, caller_named)


@route(
    blueprint,
    Who.CALLER_NAMED,
    "POST",
    "/api/pull",
    {200: TikTokPage},
    body=TikTokPull,
    example={"chat": "alice:bob", "cursor": 0, "limit": 10},
    fails=REFUSALS,
    media_type=ANY_MEDIA_TYPE,
    rate="read",
)
def pull_by_post(call: Call, caller_named: CallerNamed) -> Response:
    """Read messages of a chat of two by position, for clients that cannot send a body with GET."""
    return _page(call, caller_named)


def _page(call: Call, caller_named: CallerNamed) -> Response:
    request = call.body_or_query(TikTokPull)
    caller = caller_named(*call.services.tiktok.members(request))
    return reply(call.services.tiktok.pull(caller, request))
