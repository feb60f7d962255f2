"""What can go wrong, as RFC 9457 problems. Knows no framework."""

from __future__ import annotations

from typing import ClassVar

import msgspec

PROBLEM_JSON = "application/problem+json"


class ConfigError(Exception):
    """A setting has a value that it cannot have; the text names the variable."""


class FieldError(msgspec.Struct, frozen=True):
    """One field of a request and what is wrong with it."""

    field: str
    detail: str


class Problem(msgspec.Struct, omit_defaults=True):
    """The body of every error answer (RFC 9457), with a stable `code`."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldError] = []


class ParleyError(Exception):
    """A request that cannot be answered as asked.

    detail: one or two sentences for the person who made the call: what is wrong and what to do.
    errors: the fields at fault, where it is fields.
    headers: response headers that belong to the error, such as Retry-After.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        errors: tuple[FieldError, ...] = (),
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.headers = headers or {}

    def problem(self) -> bytes:
        """Return the error as the bytes of an application/problem+json body."""
        return msgspec.json.encode(
            Problem(
                type=f"urn:parley:problem:{self.code}",
                title=self.title,
                status=self.status,
                detail=self.detail,
                code=self.code,
                errors=list(self.errors),
            )
        )


class InternalError(ParleyError):
    """A defect of ours; the caller learns only the request's id."""


class BadRequest(ParleyError):
    """The client's bytes are not what the route takes."""

    status, code, title = 400, "bad_request", "Bad request"


class NotAuthenticated(ParleyError):
    """Nobody, or nobody we know, is calling."""

    status, code, title = 401, "not_authenticated", "Not authenticated"


class Forbidden(ParleyError):
    """The caller is known and may not do this."""

    status, code, title = 403, "forbidden", "Forbidden"


class NotAMember(Forbidden):
    """The caller is not one of the chat's members."""

    code, title = "not_a_member", "Not a member"


class CrossSite(Forbidden):
    """A web page of another site made a browser call an open server."""

    code, title = "cross_site", "Cross-site call refused"


class NoSuchRoute(ParleyError):
    """No route has this path."""

    status, code, title = 404, "no_such_route", "No such route"


class ChatNotFound(ParleyError):
    """No chat has this id."""

    status, code, title = 404, "chat_not_found", "Chat not found"


class MessageNotFound(ParleyError):
    """The chat holds no message of this number."""

    status, code, title = 404, "message_not_found", "Message not found"


class MethodNotAllowed(ParleyError):
    """The path exists, without this method."""

    status, code, title = 405, "method_not_allowed", "Method not allowed"


class RequestTimeout(ParleyError):
    """The request's body did not arrive in time."""

    status, code, title = 408, "request_timeout", "Request timed out"


class IdConflict(ParleyError):
    """The idempotency id was used for another message."""

    status, code, title = 409, "id_conflict", "Id already used"


class HistoryChanged(ParleyError):
    """The history that a cursor was taken from is no longer the chat's history."""

    status, code, title = 409, "history_changed", "History changed"


class PayloadTooLarge(ParleyError):
    """The body is larger than any request may be."""

    status, code, title = 413, "payload_too_large", "Payload too large"


class TextTooLong(PayloadTooLarge):
    """A message's text is longer than a message may be."""

    code, title = "text_too_long", "Text too long"


class UnsupportedMediaType(ParleyError):
    """The body's Content-Type is not one the route takes."""

    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class StoreUnavailable(ParleyError):
    """The store cannot be reached or did not answer in time."""

    status, code, title = 503, "store_unavailable", "Store unavailable"

    def __init__(self, detail: str = "The message store is not reachable. Try again.") -> None:
        super().__init__(detail, headers={"Retry-After": "1"})


class StoreFull(StoreUnavailable):
    """The store has no memory left for another write."""

    code, title = "store_full", "Store full"

    def __init__(self) -> None:
        super().__init__("The message store is full; nothing was stored. Try again later.")


def bad_field(field: str, detail: str) -> BadRequest:
    """Return a BadRequest that names one field and what is wrong with it."""
    return BadRequest(f"{field}: {detail}", errors=(FieldError(field, detail),))
