"""The errors of this package; each has a message for people."""

from __future__ import annotations

import msgspec

from parley_client.incoming import Failed

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})


class ParleyError(Exception):
    """Base class of all errors of this package."""


class Unreachable(ParleyError):
    """The server does not respond, or the connection to it was lost."""


class Closed(ParleyError):
    """The client is closed."""


class Problem(ParleyError):
    """The server refused a request.

    status: The HTTP status.
    code: A stable code from the API's list.
    retry_after: Seconds to wait before the next attempt, or None.
    """

    def __init__(
        self, status: int, code: str, title: str, detail: str, retry_after: float | None = None
    ) -> None:
        super().__init__(detail or title or f"The server answered {status}.")
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.retry_after = retry_after

    @property
    def passes(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in RETRIED and self.code != "store_full"


class NotAuthenticated(Problem):
    """The token or the name is not accepted: log in again."""


class _Body(msgspec.Struct):
    code: str = ""
    title: str = ""
    detail: str = ""


def problem(status: int, body: bytes, retry_after: str | None) -> Problem:
    """Return the error for an HTTP response; retry_after: The header of that name."""
    try:
        problem = msgspec.json.decode(body, type=_Body)
    except msgspec.DecodeError:
        problem = _Body()
    return _made(
        status, problem.code or f"http_{status}", problem.title, problem.detail, _seconds(retry_after)
    )


def problem_of(frame: Failed) -> Problem:
    """Return the error for an error frame."""
    return _made(frame.status, frame.code, frame.title, frame.detail, frame.retry_after)


def _made(status: int, code: str, title: str, detail: str, retry_after: float | None) -> Problem:
    kind = NotAuthenticated if status == 401 else Problem
    return kind(status, code, title, detail, retry_after)


def _seconds(header: str | None) -> float | None:
    """Return Retry-After in seconds; Parley never sends its other form, a date."""
    return float(header) if header and header.isdecimal() else None
