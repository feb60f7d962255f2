"""Times in RFC 3339, and in µs since 1970."""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta

from chalicelib.errors import bad_field

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def rfc3339(time: int) -> str:
    """Return a time in µs since 1970 as RFC 3339 in UTC with microseconds."""
    fraction = str(time + 1_000_000)[-6:]  # with its zeros, and faster than formatted: each row has a time
    return f"{_to_the_second(time // 1_000_000)}.{fraction}Z"


@functools.lru_cache(8192)
def _to_the_second(seconds: int) -> str:
    return (UNIX_EPOCH + timedelta(seconds=seconds)).isoformat(timespec="seconds")[:19]


def microseconds(text: str, field: str) -> int:
    """Return a time in RFC 3339 as µs since 1970, 0 for an earlier time.

    Raises BadRequest naming the field.
    """
    try:
        time = datetime.fromisoformat(text.upper()) if RFC3339.fullmatch(text) else None
    except ValueError:
        time = None
    if time is None:
        raise bad_field(field, "a time must be in RFC 3339, such as 2026-11-21T12:00:00Z")
    return max(0, (time - UNIX_EPOCH) // timedelta(microseconds=1))
