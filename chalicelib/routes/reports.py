"""Reports of messages to the admins of their chats."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import Call, Response, Who, no_content, reply, route
from chalicelib.routes.messages import MESSAGES, REFUSALS
from chalicelib.schemas.reports import ReportPage, ReportRequest, ReportsQuery
from chalicelib.services.auth.caller import Caller

blueprint = Blueprint(__name__)

REPORTS = "/v1/chats/{chat}/reports"
MANAGING = (*REFUSALS, errors.Banned, errors.Forbidden)


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "POST",
    MESSAGES + "/{seq}/report",
    {204: None},
    body=ReportRequest,
    example={"reason": "spam"},
    fails=(*REFUSALS, errors.MessageNotFound, errors.MessageDeleted, errors.TooManyReports, errors.StoreFull),
)
def add(call: Call, caller: Caller, chat: str, seq: str) -> Response:
    """Report another user's message to the admins of the chat.

    A repeated report replaces the first one. In a direct chat, which has no admins, the operator of the
    server finds it. A report counts as 10 requests.
    """
    call.services.reports.add(caller, chat, seq, call.body(ReportRequest))
    return no_content()


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    REPORTS,
    {200: ReportPage},
    query=ReportsQuery,
    fails=MANAGING,
)
def page(call: Call, caller: Caller, chat: str) -> Response:
    """List the reports of a group or room, newest first; for admins and owners."""
    query = call.query(ReportsQuery)
    return reply(call.services.reports.page(caller, chat, query.cursor, query.limit))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "DELETE",
    REPORTS + "/{seq}/{handle}",
    {204: None},
    fails=MANAGING,
)
def dismiss(call: Call, caller: Caller, chat: str, seq: str, handle: str) -> Response:
    """Dismiss a user's report of a message; for admins and owners.

    Repeating it changes nothing.
    """
    call.services.reports.dismiss(caller, chat, seq, handle)
    return no_content()
