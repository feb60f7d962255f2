"""Pinned messages."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import Call, Response, Who, no_content, reply, route
from chalicelib.routes.messages import CHANGING, MESSAGE, REFUSALS
from chalicelib.schemas.pins import PinPage, PinsQuery
from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.cursors import seq_of

blueprint = Blueprint(__name__)


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    "/v1/chats/{chat}/pins",
    {200: PinPage},
    query=PinsQuery,
    fails=REFUSALS,
)
def page(call: Call, caller: Caller, chat: str) -> Response:
    """List the pinned messages of a chat that you may read, the newest pin first."""
    query = call.query(PinsQuery)
    return reply(call.services.pins.page(caller, chat, query.cursor, query.limit))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "PUT",
    MESSAGE + "/pin",
    {204: None},
    fails=(*CHANGING, errors.Blocked, errors.TooManyPins),
)
def pin(call: Call, caller: Caller, chat: str, seq: str) -> Response:
    """Pin a message for all; repeating it changes nothing.

    In a group or room for admins and owners, in a direct chat for both users. A chat has at most 100 pins.
    """
    call.services.pins.pin(caller, chat, seq_of(seq, "seq"), on=True)
    return no_content()


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "DELETE",
    MESSAGE + "/pin",
    {204: None},
    fails=(*CHANGING, errors.Blocked),
)
def unpin(call: Call, caller: Caller, chat: str, seq: str) -> Response:
    """Unpin a message; repeating it changes nothing."""
    call.services.pins.pin(caller, chat, seq_of(seq, "seq"), on=False)
    return no_content()
