"""Content negotiation: the media type that a caller prefers (RFC 9110, 12.5.1)."""

from __future__ import annotations

import re
from collections.abc import Sequence

QUALITY = re.compile(r";\s*q=([01](?:\.\d{0,3})?)\s*(?:;|$)", re.IGNORECASE)
ANYTHING = "*/*"


def preferred(accept: str | None, offered: Sequence[str]) -> str:
    """Return the offered media type that an Accept header prefers; of equals the first."""
    weights = dict(_weighed(part) for part in (accept or ANYTHING).split(","))
    return max(offered, key=lambda media_type: _weight(media_type, weights))


def _weighed(part: str) -> tuple[str, float]:
    quality = QUALITY.search(part)
    return part.partition(";")[0].strip().lower(), float(quality[1]) if quality else 1.0


def _weight(media_type: str, weights: dict[str, float]) -> float:
    of_its_kind = f"{media_type.partition('/')[0]}/*"
    for name in (media_type, of_its_kind, ANYTHING):
        if name in weights:
            return weights[name]
    return 0.0
