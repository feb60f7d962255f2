"""Who is online."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import Call, reply, route
from chalicelib.schemas.presence import UserPresence

blueprint = Blueprint(__name__)


@route(
    blueprint,
    "GET",
    "/v1/users/{handle}/presence",
    {200: UserPresence},
    fails=(errors.BadRequest, errors.UserNotFound),
    caller=True,
    judged_later=True,
)
def presence(call: Call, handle: str) -> Response:
    """Read whether somebody is online, or when they were last."""
    return reply(call.services.realtime.presence.of(call.claimed, handle))
