"""Routes: a view, its place on a blueprint, and what its documentation says."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from chalice.app import Blueprint, Response

from chalicelib.errors import ParleyError
from chalicelib.http import cors
from chalicelib.http.call import Call
from chalicelib.http.decoding import unquoted
from chalicelib.http.middleware import headers_of, request_id
from chalicelib.http.responses import JSON, ProblemResponse, defect
from chalicelib.logs import LOGGER

ANY_MEDIA_TYPE = "*/*"
BODY_METHODS = ("POST", "PUT", "PATCH")


class Operation(NamedTuple):
    """What a route takes and gives, for its documentation.

    gives: status -> type of the body, None for an empty one. fails: the errors that are its own.
    example: a body to try it with. caller: whether it is answered only to somebody. account: whether only to
    somebody with an account. judged_later: whether the view itself judges the caller, in the trip that it
    reads in. rate: the class of the route; None: that of its method. slow: whether it runs for long (a
    password's hash, another server), so that an edge of several callers should not wait for it.
    """

    method: str
    path: str
    view: Callable[..., Response]
    gives: dict[int, type | None]
    fails: tuple[type[ParleyError], ...] = ()
    body: type | None = None
    example: dict[str, Any] | None = None
    query: type | None = None
    caller: bool = False
    account: bool = False
    judged_later: bool = False
    rate: str | None = None
    media_type: str | None = None
    slow: bool = False

    @property
    def kind(self) -> str:
        """The class of the route, by which requests are limited."""
        return self.rate or ("read" if self.method == "GET" else "write")

    @property
    def strict(self) -> bool:
        """Whether what the route does not know is refused, as everywhere but on legacy and public paths."""
        return self.path.startswith("/v1/")

    @property
    def takes(self) -> str:
        """The Content-Type that Chalice lets in."""
        return self.media_type or (JSON if self.method in BODY_METHODS else ANY_MEDIA_TYPE)


OPERATIONS: list[Operation] = []


def route(
    blueprint: Blueprint, method: str, path: str, gives: dict[int, type | None], **details: Any
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Register a view, which gets a Call and the decoded path parameters; what it raises becomes a problem.

    gives, details: the fields of Operation.
    """

    def register(view: Callable[..., Response]) -> Callable[..., Response]:
        operation = Operation(method, path, view, gives, **details)
        is_new = path not in {other.path for other in OPERATIONS}
        OPERATIONS.append(operation)
        guarded = _guarded(blueprint, operation)
        blueprint.route(path, methods=[method], content_types=[operation.takes])(guarded)
        if is_new:
            _register_preflight(blueprint, path)
        return guarded

    return register


def _register_preflight(blueprint: Blueprint, path: str) -> None:
    def preflight(**_: str) -> Response:
        methods = [operation.method for operation in OPERATIONS if operation.path == path]
        return cors.preflight(headers_of(blueprint.current_request), [*methods, "OPTIONS"])

    blueprint.route(path, methods=["OPTIONS"], content_types=[ANY_MEDIA_TYPE])(preflight)


def _guarded(blueprint: Blueprint, operation: Operation) -> Callable[..., Response]:
    @functools.wraps(operation.view)
    def guarded(**parameters: str) -> Response:
        request = blueprint.current_request
        try:
            return _answered(Call(request, operation.kind), operation, parameters)
        except Exception:
            LOGGER.exception({"event": "defect", "request_id": request_id(request)})
            return ProblemResponse(defect())

    return guarded


def _answered(call: Call, operation: Operation, parameters: dict[str, str]) -> Response:
    try:
        call.refuse_cross_site()
        _admit(call, operation)
        call.refuse_encoded()
        if operation.strict:
            call.refuse_unknown(
                operation.query, bodiless=operation.body is None and operation.method != "GET"
            )
        values = {name: unquoted(value, name) for name, value in parameters.items()}
        response = operation.view(call, **values)
        if operation.judged_later and not call.judged:
            raise RuntimeError(
                f"{operation.method} {operation.path} answered a caller whom it had not judged"
            )
    except ParleyError as error:
        response = ProblemResponse(call.settled(error))
    response.headers = {**call.rate_headers, **response.headers}
    return response


def _admit(call: Call, operation: Operation) -> None:
    """Let in only those whom a route is for, before its view runs, unless the view does that as it reads."""
    if operation.account:
        _ = call.account
    elif operation.judged_later:
        call.identify()
    elif operation.caller:
        _ = call.caller
    elif operation.rate is not None:
        call.take_from_address()
