"""Is the server there, and is its store."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib.errors import StoreUnavailable
from chalicelib.http import Call, reply, route
from chalicelib.schemas.messages import Health, Pong

blueprint = Blueprint(__name__)


@route(blueprint, "GET", "/ping", {200: Pong})
def ping(call: Call) -> Response:
    """Answer, without asking the store."""
    return reply(Pong())


@route(blueprint, "GET", "/health", {200: Health}, fails=(StoreUnavailable,))
def health(call: Call) -> Response:
    """Ask the store whether it is there."""
    return reply(call.services.health())
