"""Whether the server and its store answer."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib.errors import StoreUnavailable
from chalicelib.http import Call, Response, Who, reply, route
from chalicelib.schemas.messages import Health, Pong

blueprint = Blueprint(__name__)


@route(blueprint, Who.ANYBODY, "GET", "/ping", {200: Pong})
def ping(call: Call) -> Response:
    """Answer without asking the store."""
    return reply(Pong())


@route(blueprint, Who.ANYBODY, "GET", "/health", {200: Health}, fails=(StoreUnavailable,))
def health(call: Call) -> Response:
    """Check that the store answers."""
    return reply(call.services.health())
