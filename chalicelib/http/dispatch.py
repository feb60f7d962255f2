"""Answers a request: finds its route, authenticates the caller, runs the view, and logs one line."""

from __future__ import annotations

import logging
import time
from typing import Any

from chalicelib.errors import MethodNotAllowed, ParleyError, UnsupportedMediaType
from chalicelib.http import cors
from chalicelib.http.authentication import ANYBODY, Authentication
from chalicelib.http.call import Call
from chalicelib.http.common_headers import common_headers
from chalicelib.http.content_type import is_accepted
from chalicelib.http.decoding import unquoted
from chalicelib.http.request import Request
from chalicelib.http.request_ids import given_id, new_id
from chalicelib.http.responses import JSON, REQUEST_ID, Response, defect, problem
from chalicelib.http.routing import RESOURCES, Operation
from chalicelib.logs import LOGGER, cause_of, log


def answer(request: Request) -> Response:
    """Return the answer to a request, also to one that fails, and log one line.

    Sets the request's id: the client's, or else the gateway's, or else a new one.
    """
    start = time.perf_counter()
    request.id = given_id(request.headers) or request.id or new_id()
    response = _guarded(request)
    common = common_headers(request.headers, cors.current())
    response.headers = {**common, **response.headers, REQUEST_ID: request.id}
    _log(request, response, time.perf_counter() - start)
    return response


def _guarded(request: Request) -> Response:
    try:
        return _routed(request)
    except ParleyError as error:
        return problem(error)
    except Exception:
        LOGGER.exception({"event": "defect", "request_id": request.id})
        return problem(defect())


def _routed(request: Request) -> Response:
    operations = RESOURCES[request.resource]
    operation = operations.get(request.method)
    if operation is None:
        return _without_view(request, [*operations, "OPTIONS"])
    if not is_accepted(request.headers.get("content-type"), operation.takes):
        raise UnsupportedMediaType(f"The body must be JSON: send Content-Type: {JSON}.")
    call = Call(request)
    return answered(call, Authentication(call, operation.kind), operation, request.parameters)


def _without_view(request: Request, methods: list[str]) -> Response:
    if request.method == "OPTIONS":
        return cors.preflight(request.headers, methods)
    allowed = ", ".join(methods)
    raise MethodNotAllowed(f"This path accepts only the methods {allowed}.", headers={"Allow": allowed})


def answered(
    call: Call, authentication: Authentication, operation: Operation, parameters: dict[str, str]
) -> Response:
    """Return a view's answer to a caller who is authenticated, or the problem.

    parameters: Of the path, percent-encoded.
    Raises RuntimeError if the view has not authenticated its caller.
    """
    try:
        response = _viewed(call, authentication, operation, parameters)
    except ParleyError as error:
        response = problem(authentication.refusal(error))
    rate = authentication.rate_headers
    if rate:
        response.headers = {**rate, **response.headers}
    return response


def _viewed(
    call: Call, authentication: Authentication, operation: Operation, parameters: dict[str, str]
) -> Response:
    authentication.begin(operation.who, limits_address=operation.rate is not None)
    call.refuse_encoded()
    if operation.strict:
        call.refuse_unknown(operation.query, bodiless=operation.bodiless)
    values = {name: unquoted(value, name) for name, value in parameters.items()} if parameters else {}
    response = operation.view(call, *authentication.given(operation.who), **values)
    if operation.who is not ANYBODY and not authentication.is_done:
        raise RuntimeError(
            f"{operation.method} {operation.path} answered a caller whom it did not authenticate"
        )
    return response


def _log(request: Request, response: Response, seconds: float) -> None:
    line: dict[str, Any] = {
        "event": "request",
        "request_id": request.id,
        "method": request.method,
        "route": request.resource,
        "status": response.status,
        "ms": round(seconds * 1000, 2),
    }
    if response.error is not None:
        line |= {"code": response.error.code, **cause_of(response.error)}
    log(logging.ERROR if response.status >= 500 else logging.INFO, line)
