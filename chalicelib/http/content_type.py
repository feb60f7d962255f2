"""The Content-Type of a request, held against the one that its route takes, as Chalice does it."""

from __future__ import annotations

import functools
import re

ANY_MEDIA_TYPE = "*/*"
SEPARATOR = re.compile("[,;]")


def is_accepted(content_type: str | None, taken: str) -> bool:
    """Return whether a route takes a body with a Content-Type; without one it is JSON.

    taken: Media type, or ANY_MEDIA_TYPE.
    """
    if content_type is None or taken in (content_type, ANY_MEDIA_TYPE):
        return True
    return _names(content_type, taken)


@functools.lru_cache(maxsize=256)
def _names(content_type: str, taken: str) -> bool:
    """Return whether a media type is among the parts of a Content-Type, in any case."""
    lower = content_type.lower()
    return ANY_MEDIA_TYPE in lower or taken in (part.strip() for part in SEPARATOR.split(lower))
