"""Chalice's current request, which overlapping calls must not share."""

from __future__ import annotations

from contextvars import ContextVar

from chalice.app import Chalice, Request

_REQUEST: ContextVar[Request | None] = ContextVar("current_request", default=None)


class OverlappingChalice(Chalice):
    """An application with a current request for each greenlet and each thread: each has its own context."""

    @property
    def current_request(self) -> Request | None:
        """The request that the caller handles."""
        return _REQUEST.get()

    @current_request.setter
    def current_request(self, request: Request | None) -> None:
        _REQUEST.set(request)


def let_calls_overlap(app: Chalice) -> None:
    """Make an application keep a current request for each call, and not one for all."""
    app.__class__ = OverlappingChalice
