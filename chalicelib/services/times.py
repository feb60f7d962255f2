"""Times as they are shown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(time: int) -> str:
    """Return a time in µs since 1970 as RFC 3339 in UTC with microseconds."""
    return (UNIX_EPOCH + timedelta(microseconds=time)).isoformat(timespec="microseconds")[:26] + "Z"
