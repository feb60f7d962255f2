"""What happens around every request."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable
from typing import Any

from chalice.app import Request, Response

from chalicelib.errors import MethodNotAllowed, UnsupportedMediaType
from chalicelib.http.responses import JSON, REQUEST_ID, ProblemResponse, defect
from chalicelib.logs import LOGGER

GIVEN_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
COMMON_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def answer(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Middleware: make Chalice's own errors problems, add the request's id, log one line."""
    start = time.perf_counter()
    response = get_response(request)
    if response.status_code >= 400 and not isinstance(response, ProblemResponse):
        response = _translated(response)
    given = request_id(request)
    response.headers = {**COMMON_HEADERS, **response.headers, REQUEST_ID: given}
    _log(request, response, given, time.perf_counter() - start)
    return response


def request_id(request: Request) -> str:
    """Return the id the client gave this request, or else the gateway's, or else a new one."""
    given = headers_of(request).get(REQUEST_ID.lower(), "")
    if GIVEN_REQUEST_ID.fullmatch(given):
        return given
    context: dict[str, Any] = request.context
    return str(context.get("requestId") or context.setdefault("requestId", str(uuid.uuid4())))


def headers_of(request: Request) -> dict[str, str]:
    """Return the headers by lower-case name; in Chalice's own mapping a missing one costs an exception."""
    headers = request.to_original_event()["headers"] or {}
    return {name.lower(): value for name, value in headers.items()}


def _log(request: Request, response: Response, given: str, seconds: float) -> None:
    line: dict[str, Any] = {
        "event": "request",
        "request_id": given,
        "method": request.method,
        "route": request.path,
        "status": response.status_code,
        "ms": round(seconds * 1000, 2),
    }
    if isinstance(response, ProblemResponse):
        line["code"] = response.error.code
        if response.error.__cause__ is not None:
            line["cause"] = f"{type(response.error.__cause__).__name__}: {response.error.__cause__}"
    LOGGER.log(logging.ERROR if response.status_code >= 500 else logging.INFO, line)


def _translated(response: Response) -> ProblemResponse:
    if response.status_code == 405:
        allowed = str(response.headers.get("Allow", ""))
        return ProblemResponse(MethodNotAllowed(f"This path takes {allowed}.", headers={"Allow": allowed}))
    if response.status_code == 415:
        return ProblemResponse(UnsupportedMediaType(f"The body must be JSON: send Content-Type: {JSON}."))
    return ProblemResponse(defect())
