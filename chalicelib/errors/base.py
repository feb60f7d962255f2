"""The error tree: every error is an RFC 9457 problem with a stable code. Knows no framework."""

from __future__ import annotations

from typing import ClassVar

import msgspec

PROBLEM_JSON = "application/problem+json"
MAX_CHARACTERS = 1000
"""Maximum length of a text in an error: a frame has space for three such texts of any characters."""


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
        self.detail = _shortened(detail)
        super().__init__(self.detail)
        self.errors = tuple(FieldError(_shortened(each.field), _shortened(each.detail)) for each in errors)
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


def _shortened(text: str) -> str:
    """Return a text, without its middle if it is too long because it quotes a request."""
    half = MAX_CHARACTERS // 2
    return text if len(text) <= MAX_CHARACTERS else f"{text[:half]} \u2026 {text[-half:]}"


class InternalError(ParleyError):
    """A defect of the server; the caller learns only the id of the request."""


class BadRequest(ParleyError):
    """The request has a field, a body or a query that the route does not take."""

    status, code, title = 400, "bad_request", "Bad request"


class Forbidden(ParleyError):
    """The caller is authenticated, but may not do this."""

    status, code, title = 403, "forbidden", "Forbidden"


def bad_field(field: str, detail: str) -> BadRequest:
    """Return a BadRequest that names one field and what is wrong with it."""
    return BadRequest(f"{field}: {detail}", errors=(FieldError(field, detail),))
