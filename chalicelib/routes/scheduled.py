"""Scheduled messages: list, change and cancel them, and schedule one."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import Call, Response, Who, no_content, reply, route
from chalicelib.routes.messages import REFUSALS, WRITING
from chalicelib.schemas.scheduled import (
    Scheduled,
    ScheduledChanges,
    ScheduledPage,
    ScheduledQuery,
    ScheduleRequest,
)
from chalicelib.services.auth.caller import Caller

blueprint = Blueprint(__name__)

SCHEDULED = "/v1/scheduled"
ONE = SCHEDULED + "/{scheduled}"
CHECKED = (*REFUSALS, *WRITING, errors.MessageNotFound, errors.StoreFull)
NAMED = (errors.ScheduledNotFound, errors.StoreUnavailable)


@route(
    blueprint,
    Who.CALLER,
    "POST",
    "/v1/chats/{chat}/scheduled",
    {201: Scheduled},
    body=ScheduleRequest,
    example={"text": "happy birthday", "send_at": "2027-01-01T00:00:00Z"},
    fails=(*CHECKED, errors.TooManyScheduled),
)
def add(call: Call, caller: Caller, chat: str) -> Response:
    """Schedule a message to a chat to which you may write.

    The rules of a send hold again when it is sent. If it is refused then, it stays in the list with the
    problem for a week. A repeated request with the same id, in the body or as `Idempotency-Key`, schedules
    it once.
    """
    request = call.body(ScheduleRequest)
    request.id = call.idempotency_id(request.id)
    made = call.services.scheduled.add(caller, chat, request)
    stage = call.path.partition("/v1/")[0]
    return reply(made, 201, {"Location": f"{stage}{SCHEDULED}/{made.id}"})


@route(
    blueprint,
    Who.CALLER,
    "GET",
    SCHEDULED,
    {200: ScheduledPage},
    query=ScheduledQuery,
    fails=REFUSALS,
)
def page(call: Call, caller: Caller) -> Response:
    """List your scheduled messages, and those that could not be sent, the earliest first."""
    query = call.query(ScheduledQuery)
    return reply(call.services.scheduled.page(caller.handle, query.chat, query.cursor, query.limit))


@route(blueprint, Who.CALLER, "GET", ONE, {200: Scheduled}, fails=NAMED)
def one(call: Call, caller: Caller, scheduled: str) -> Response:
    """Read one of your scheduled messages."""
    return reply(call.services.scheduled.one(caller.handle, scheduled))


@route(
    blueprint,
    Who.CALLER,
    "PATCH",
    ONE,
    {200: Scheduled},
    body=ScheduledChanges,
    example={"send_at": "2027-01-01T08:00:00Z"},
    fails=(*CHECKED, errors.ScheduledNotFound, errors.BeingSent),
)
def change(call: Call, caller: Caller, scheduled: str) -> Response:
    """Change one of your scheduled messages, until it is being sent.

    A message that could not be sent is scheduled again by a new `send_at`.
    """
    return reply(call.services.scheduled.change(caller, scheduled, call.body(ScheduledChanges)))


@route(
    blueprint,
    Who.CALLER,
    "DELETE",
    ONE,
    {204: None},
    fails=(*NAMED, errors.BeingSent, errors.StoreFull),
)
def cancel(call: Call, caller: Caller, scheduled: str) -> Response:
    """Cancel one of your scheduled messages; after the 204 it is never sent."""
    call.services.scheduled.cancel(caller.handle, scheduled)
    return no_content()
