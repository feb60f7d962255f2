"""Errors about HTTP itself, limits and the state of the server."""

from __future__ import annotations

from chalicelib.errors.base import ParleyError


class NoSuchRoute(ParleyError):
    """No route has this path."""

    status, code, title = 404, "no_such_route", "No such route"


class MethodNotAllowed(ParleyError):
    """The path exists, without this method."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"


class RequestTimeout(ParleyError):
    """The request did not arrive in time."""

    status, code, title = 408, "request_timeout", "Request timed out"


class PayloadTooLarge(ParleyError):
    """The body is larger than the maximum of any request."""

    status, code, title = 413, "payload_too_large", "Payload too large"


class TextTooLong(PayloadTooLarge):
    """The text is longer than the maximum of a message or a post."""

    code, title = "text_too_long", "Text too long"


class UnsupportedMediaType(ParleyError):
    """The route does not take the body's Content-Type or Content-Encoding."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class TooManyRequests(ParleyError):
    """The caller, or the address, has reached a limit."""

    status, code, title = 429, "too_many_requests", "Too many requests"


class Overloaded(ParleyError):
    """Too many slow calls are waiting."""

    status, code, title = 503, "overloaded", "Overloaded"


class RealtimeUnavailable(ParleyError):
    """This server accepts no WebSocket connections."""

    status, code, title = 503, "realtime_unavailable", "Realtime unavailable"


class FilterUnavailable(ParleyError):
    """The word filter did not answer in time, and without it no text is accepted."""

    status, code, title = 503, "filter_unavailable", "Word filter unavailable"

    def __init__(
        self, detail: str = "The server cannot check texts at the moment; nothing was stored. Try again."
    ) -> None:
        super().__init__(detail, headers={"Retry-After": "1"})


class StoreUnavailable(ParleyError):
    """The server cannot reach its store, or the store did not answer in time."""

    status, code, title = 503, "store_unavailable", "Store unavailable"

    def __init__(self, detail: str = "The message store is not reachable. Try again.") -> None:
        super().__init__(detail, headers={"Retry-After": "1"})


class StoreFull(StoreUnavailable):
    """The store has no memory or disk left for another write."""

    code, title = "store_full", "Store full"

    def __init__(self) -> None:
        super().__init__("The message store is full; nothing was stored. Try again later.")
