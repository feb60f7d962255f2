"""Responses for Chalice."""

from __future__ import annotations

from typing import Any

import msgspec
from chalice.app import Response

from chalicelib.errors import PROBLEM_JSON, InternalError, ParleyError

JSON = "application/json"
REQUEST_ID = "X-Request-Id"


def reply(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response of a msgspec value."""
    return Response(msgspec.json.encode(body).decode(), {"Content-Type": JSON, **(headers or {})}, status)


def text(body: str, media_type: str, headers: dict[str, str] | None = None) -> Response:
    """Return a response of text that a client may keep for an hour."""
    return Response(
        body, {"Content-Type": media_type, "Cache-Control": "public, max-age=3600", **(headers or {})}, 200
    )


def no_content(status: int = 204) -> Response:
    """Return a response without a body; an explicit empty one, since Chalice writes None as `null`."""
    return Response("", {}, status)


class ProblemResponse(Response):
    """An error as a response, which the log line reads."""

    def __init__(self, error: ParleyError) -> None:
        super().__init__(
            error.problem().decode(), {"Content-Type": PROBLEM_JSON, **error.headers}, error.status
        )
        self.error = error


def defect() -> InternalError:
    """Return the error for a defect: it names the request id and nothing of the defect."""
    return InternalError(
        f"The server failed to answer this request. Report its {REQUEST_ID}, which finds the failure in the "
        "log."
    )
