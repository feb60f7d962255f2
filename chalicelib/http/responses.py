"""Responses: a status, headers, and a body of bytes."""

from __future__ import annotations

from typing import Any

import msgspec

from chalicelib.errors import PROBLEM_JSON, InternalError, ParleyError

JSON = "application/json"
REQUEST_ID = "X-Request-Id"


class Response(msgspec.Struct):
    """The answer to a request; error: The error that it tells, for the log line."""

    body: bytes
    headers: dict[str, str]
    status: int = 200
    error: ParleyError | None = None


def reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response of a msgspec value."""
    own = {"Content-Type": JSON}
    if headers is not None:
        own |= headers
    return Response(msgspec.json.encode(body), own, status)


def text(body: str, media_type: str, headers: dict[str, str] | None = None) -> Response:
    """Return a response of text that a client may keep for an hour."""
    own = {"Content-Type": media_type, "Cache-Control": "public, max-age=3600", **(headers or {})}
    return Response(body.encode(), own)


def no_content(status: int = 204) -> Response:
    """Return a response without a body."""
    return Response(b"", {}, status)


def problem(error: ParleyError) -> Response:
    """Return an error as a response (RFC 9457)."""
    return Response(error.problem(), {"Content-Type": PROBLEM_JSON, **error.headers}, error.status, error)


def defect() -> InternalError:
    """Return the error for a defect: it names the request id and nothing of the defect."""
    return InternalError(
        f"The server failed to answer this request. Report its {REQUEST_ID}, which finds the failure in the "
        "log."
    )
