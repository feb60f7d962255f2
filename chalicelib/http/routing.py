"""Routes: a view with its path on a blueprint, its permitted callers, and its documentation."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from typing import Any, Concatenate, Literal, overload

import msgspec
from chalice.app import Blueprint

from chalicelib.errors import ParleyError
from chalicelib.http.authentication import CallerNamed
from chalicelib.http.call import Call
from chalicelib.http.content_type import ANY_MEDIA_TYPE
from chalicelib.http.responses import JSON, Response
from chalicelib.http.who import Who
from chalicelib.services.auth.caller import Caller

BODY_METHODS = ("POST", "PUT", "PATCH")
PATH_PARAMETER = re.compile(r"{(\w+)}")


class Operation(msgspec.Struct, frozen=True, dict=True):
    """A route: its permitted callers, its input and its output.

    gives: Status -> type of the body; None: an empty body. fails: The errors of this route. example: A body
    to try it with. rate: Class of the route; None: the class of its method. slow: Whether a call takes long
    (the hash of a password, another server), so that a server of several callers should not wait for it.
    """

    who: Who
    method: str
    path: str
    view: Callable[..., Response]
    gives: dict[int, type | None]
    fails: tuple[type[ParleyError], ...] = ()
    body: type | None = None
    example: dict[str, Any] | None = None
    query: type | None = None
    rate: str | None = None
    media_type: str | None = None
    slow: bool = False

    @functools.cached_property
    def kind(self) -> str:
        """The class of the route, by which requests are limited."""
        return self.rate or ("read" if self.method == "GET" else "write")

    @functools.cached_property
    def strict(self) -> bool:
        """Whether unknown parameters are refused, as on all paths except legacy and public ones."""
        return self.path.startswith("/v1/")

    @functools.cached_property
    def bodiless(self) -> bool:
        """Whether it takes no fields in the body; of GET it is not asked."""
        return self.body is None and self.method != "GET"

    @functools.cached_property
    def takes(self) -> str:
        """The media type that it accepts."""
        return self.media_type or (JSON if self.method in BODY_METHODS else ANY_MEDIA_TYPE)


OPERATIONS: list[Operation] = []
RESOURCES: dict[str, dict[str, Operation]] = {}
"""The same operations by path and method."""

View = Callable[Concatenate[Call, ...], Response]
CallersView = Callable[Concatenate[Call, Caller, ...], Response]
NamedCallersView = Callable[Concatenate[Call, CallerNamed, ...], Response]


@overload
def route(
    blueprint: Blueprint,
    who: Literal[Who.ANYBODY],
    method: str,
    path: str,
    gives: dict[int, type | None],
    **details: Any,
) -> Callable[[View], View]: ...


@overload
def route(
    blueprint: Blueprint,
    who: Literal[Who.CALLER, Who.ACCOUNT, Who.CALLER_IN_ROUND_TRIP],
    method: str,
    path: str,
    gives: dict[int, type | None],
    **details: Any,
) -> Callable[[CallersView], CallersView]: ...


@overload
def route(
    blueprint: Blueprint,
    who: Literal[Who.CALLER_NAMED],
    method: str,
    path: str,
    gives: dict[int, type | None],
    **details: Any,
) -> Callable[[NamedCallersView], NamedCallersView]: ...


def route(
    blueprint: Blueprint, who: Who, method: str, path: str, gives: dict[int, type | None], **details: Any
) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Register a view; a ParleyError that it raises becomes a problem.

    The view takes the call, the caller unless anybody may call, and the decoded parameters of the path.
    gives, details: the fields of Operation. Raises TypeError for a view that takes anything else.
    """

    def register(view: Callable[..., Response]) -> Callable[..., Response]:
        operation = Operation(who, method, path, view, gives, **details)
        _check_parameters(operation)
        OPERATIONS.append(operation)
        is_new = path not in RESOURCES
        RESOURCES.setdefault(path, {})[method] = operation
        blueprint.route(path, methods=[method], content_types=[operation.takes])(_stand_in(view))
        if is_new:
            blueprint.route(path, methods=["OPTIONS"], content_types=[ANY_MEDIA_TYPE])(_preflight)
        return view

    return register


def _check_parameters(operation: Operation) -> None:
    """Raise TypeError for a view that does not take what its route gives: so none can miss its caller."""
    code = operation.view.__code__
    takes = code.co_varnames[: code.co_argcount]
    gives = ("call", *operation.who.parameter, *PATH_PARAMETER.findall(operation.path))
    if takes != gives:
        raise TypeError(
            f"{operation.method} {operation.path} gives its view {gives}, and the view takes {takes}"
        )


def _stand_in(view: Callable[..., Response]) -> Callable[..., Response]:
    """Return what Chalice registers for a view, which dispatch calls by itself."""

    @functools.wraps(view)
    def stand_in(**_: str) -> Response:
        raise RuntimeError("Chalice has called a view: the middleware `carry` must answer before it does.")

    return stand_in


@_stand_in
def _preflight() -> Response:
    raise NotImplementedError
