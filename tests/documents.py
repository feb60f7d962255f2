"""Walking documents of objects and lists."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def nodes_of(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a document, each before those inside it."""
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from nodes_of(child)
    elif isinstance(value, list):
        for child in value:
            yield from nodes_of(child)
