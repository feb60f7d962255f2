"""Tickets for the WebSocket: a web page cannot send its token there, but can send a ticket."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import Call, Response, Who, reply, route
from chalicelib.schemas.realtime import Ticket, TicketRequest
from chalicelib.services.auth.caller import Caller

blueprint = Blueprint(__name__)


@route(
    blueprint,
    Who.CALLER,
    "POST",
    "/v1/realtime/ticket",
    {201: Ticket},
    body=TicketRequest,
    example={},
    fails=(errors.BadRequest, errors.ChatNotFound, errors.RealtimeUnavailable, errors.StoreFull),
)
def ticket(call: Call, caller: Caller) -> Response:
    """Get a ticket that opens one WebSocket connection.

    Open `<url>?ticket=<ticket>` within 30 seconds.
    """
    request = call.body(TicketRequest)
    return reply(call.services.realtime.tickets.issue(caller, request.room), 201)
