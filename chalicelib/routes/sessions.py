"""Sessions: where a user is logged in, and how that ends."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, no_content, reply, route
from chalicelib.schemas.accounts import Devices

blueprint = Blueprint(__name__)

REFUSALS = (errors.BadRequest, errors.TooManyRequests, errors.StoreUnavailable)


@route(
    blueprint,
    "POST",
    "/v1/logout",
    {202: None},
    fails=REFUSALS,
    account=True,
    media_type=ANY_MEDIA_TYPE,
)
def logout(call: Call) -> Response:
    """End the session of this token, from the next request on, everywhere."""
    call.services.sessions.leave(call.account)
    return no_content(202)


@route(blueprint, "GET", "/v1/sessions", {200: Devices}, fails=REFUSALS, account=True)
def devices(call: Call) -> Response:
    """List the devices on which the caller is logged in."""
    return reply(call.services.sessions.all(call.account))


@route(blueprint, "DELETE", "/v1/sessions", {204: None}, fails=REFUSALS, account=True)
def log_out_everywhere(call: Call) -> Response:
    """End all the caller's sessions, this one too, and what an outside issuer signed for them until now."""
    call.services.sessions.end_all(call.account)
    return no_content()


@route(
    blueprint,
    "DELETE",
    "/v1/sessions/{session}",
    {204: None},
    fails=(*REFUSALS, errors.SessionNotFound),
    account=True,
)
def log_out_device(call: Call, session: str) -> Response:
    """End one of the caller's sessions."""
    call.services.sessions.end(call.account, session)
    return no_content()
