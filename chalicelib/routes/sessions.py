"""Sessions: where a user is logged in, and how that ends."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, Who, no_content, reply, route
from chalicelib.schemas.accounts import Devices
from chalicelib.services.auth.caller import Caller

blueprint = Blueprint(__name__)

REFUSALS = (errors.BadRequest, errors.TooManyRequests, errors.StoreUnavailable)


@route(
    blueprint,
    Who.ACCOUNT,
    "POST",
    "/v1/logout",
    {202: None},
    fails=REFUSALS,
    media_type=ANY_MEDIA_TYPE,
)
def logout(call: Call, caller: Caller) -> Response:
    """End the session of this token, from the next request on, everywhere."""
    call.services.sessions.log_out(caller)
    return no_content(202)


@route(blueprint, Who.ACCOUNT, "GET", "/v1/sessions", {200: Devices}, fails=REFUSALS)
def devices(call: Call, caller: Caller) -> Response:
    """List the devices on which the caller is logged in."""
    return reply(call.services.sessions.all(caller))


@route(blueprint, Who.ACCOUNT, "DELETE", "/v1/sessions", {204: None}, fails=REFUSALS)
def log_out_everywhere(call: Call, caller: Caller) -> Response:
    """End all the caller's sessions, this one too, and what an outside issuer signed for them until now."""
    call.services.sessions.end_all(caller)
    return no_content()


@route(
    blueprint,
    Who.ACCOUNT,
    "DELETE",
    "/v1/sessions/{session}",
    {204: None},
    fails=(*REFUSALS, errors.SessionNotFound),
)
def log_out_device(call: Call, caller: Caller, session: str) -> Response:
    """End one of the caller's sessions."""
    call.services.sessions.end(caller, session)
    return no_content()
