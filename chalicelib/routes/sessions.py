"""Sessions: list the devices that are logged in, and log out."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, Response, Who, no_content, reply, route
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
    """Log out: end the session of this token."""
    call.services.sessions.log_out(caller)
    return no_content(202)


@route(blueprint, Who.ACCOUNT, "GET", "/v1/sessions", {200: Devices}, fails=REFUSALS)
def devices(call: Call, caller: Caller) -> Response:
    """List the devices on which you are logged in."""
    return reply(call.services.sessions.all(caller))


@route(blueprint, Who.ACCOUNT, "DELETE", "/v1/sessions", {204: None}, fails=REFUSALS)
def log_out_everywhere(call: Call, caller: Caller) -> Response:
    """Log out everywhere: end all your sessions, and refuse older tokens of the outside issuer."""
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
    """Log out one device: end one of your sessions."""
    call.services.sessions.end(caller, session)
    return no_content()
