"""Routes: a view, its place on a blueprint, and what its documentation says."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from chalice.app import Blueprint, Response

from chalicelib.errors import ParleyError
from chalicelib.http.call import Call
from chalicelib.http.decoding import unquoted
from chalicelib.http.middleware import request_id
from chalicelib.http.responses import JSON, ProblemResponse, defect
from chalicelib.logs import LOGGER

ANY_MEDIA_TYPE = "*/*"
BODY_METHODS = ("POST", "PUT", "PATCH")


class Operation(NamedTuple):
    """What a route takes and gives, for its documentation.

    gives: status -> type of the body, None for an empty one. fails: the errors that are its own.
    example: a body to try it with. caller: whether it is answered only to somebody.
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
    media_type: str | None = None

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
        OPERATIONS.append(operation)
        guarded = _guarded(blueprint, view)
        blueprint.route(path, methods=[method], content_types=[operation.takes])(guarded)
        return guarded

    return register


def _guarded(blueprint: Blueprint, view: Callable[..., Response]) -> Callable[..., Response]:
    @functools.wraps(view)
    def guarded(**parameters: str) -> Response:
        request = blueprint.current_request
        try:
            call = Call(request)
            call.refuse_cross_site()
            return view(call, **{name: unquoted(value, name) for name, value in parameters.items()})
        except ParleyError as error:
            return ProblemResponse(error)
        except Exception:
            LOGGER.exception({"event": "defect", "request_id": request_id(request)})
            return ProblemResponse(defect())

    return guarded
