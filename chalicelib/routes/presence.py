"""Whether a user is online."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import Call, Response, Who, reply, route
from chalicelib.schemas.presence import UserPresence
from chalicelib.services.auth.caller import Caller

blueprint = Blueprint(__name__)


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    "/v1/users/{handle}/presence",
    {200: UserPresence},
    fails=(errors.BadRequest, errors.UserNotFound),
)
def presence(call: Call, caller: Caller, handle: str) -> Response:
    """Read whether a user is online, and when they last were."""
    return reply(call.services.realtime.presence.of(caller, handle))
