"""Middleware of every request: request ids, common headers, errors as problems, the log line."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from chalice.app import Request, Response

from chalicelib.errors import MethodNotAllowed, UnsupportedMediaType
from chalicelib.http import cors
from chalicelib.http.cors import Cors
from chalicelib.http.responses import JSON, REQUEST_ID, ProblemResponse, defect
from chalicelib.logs import LOGGER, cause_of

GIVEN_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
COMMON_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",  # pages that CORS lets in are not asked for it
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
HTTPS_HEADERS = COMMON_HEADERS | {"Strict-Transport-Security": "max-age=31536000"}


def answer(request: Request, get_response: Callable[[Request], Response]) -> Response:
    """Middleware: make Chalice's own errors problems, add the request's id, log one line."""
    start = time.perf_counter()
    response = get_response(request)
    if response.status_code >= 400 and not isinstance(response, ProblemResponse):
        response = _translated(response)
    headers = headers_of(request)
    given = given_id(headers) or own_id(request)
    response.headers = {**common_headers(headers, cors.current()), **response.headers, REQUEST_ID: given}
    _log(request, response, given, time.perf_counter() - start)
    return response


def common_headers(headers: Mapping[str, str], allowed: Cors) -> dict[str, str]:
    """Return the headers of every answer that does not set them itself.

    headers: the request's, names in lower case. allowed: the web pages that may call.
    """
    common = HTTPS_HEADERS if headers.get("x-forwarded-proto") == "https" else COMMON_HEADERS
    return {**common, **allowed.headers(headers.get("origin"))}


def request_id(request: Request) -> str:
    """Return the id of a request: the client's, or else the gateway's, or else a new one."""
    return given_id(headers_of(request)) or own_id(request)


def given_id(headers: Mapping[str, str]) -> str | None:
    """Return the request id that the client sent, if it is valid; headers: names in lower case."""
    given = headers.get("x-request-id", "")
    return given if GIVEN_REQUEST_ID.fullmatch(given) else None


def own_id(request: Request) -> str:
    """Return the gateway's id of a request, or else a new one."""
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
        line |= {"code": response.error.code, **cause_of(response.error)}
    LOGGER.log(logging.ERROR if response.status_code >= 500 else logging.INFO, line)


def _translated(response: Response) -> ProblemResponse:
    if response.status_code == 405:
        allowed = str(response.headers.get("Allow", ""))
        return ProblemResponse(
            MethodNotAllowed(f"This path accepts only the methods {allowed}.", headers={"Allow": allowed})
        )
    if response.status_code == 415:
        return ProblemResponse(UnsupportedMediaType(f"The body must be JSON: send Content-Type: {JSON}."))
    return ProblemResponse(defect())
