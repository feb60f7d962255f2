"""The border with Chalice: Lambda events go in, and what dispatch answers comes out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chalice.app import Request as ChaliceRequest
from chalice.app import Response as ChaliceResponse

from chalicelib.http import dispatch
from chalicelib.http.request import Request
from chalicelib.http.responses import Response, defect, problem
from chalicelib.logs import LOGGER


def carry(request: ChaliceRequest, _: Callable[[Any], Any]) -> ChaliceResponse:
    """Middleware of Chalice: answer by dispatch, before Chalice looks for a route."""
    try:
        response = dispatch.answer(Request.from_event(request.to_original_event()))
    except Exception:
        LOGGER.exception({"event": "defect"})
        response = problem(defect())
    return _of_chalice(response)


def _of_chalice(response: Response) -> ChaliceResponse:
    return ChaliceResponse(response.body.decode(), dict(response.headers), response.status)
