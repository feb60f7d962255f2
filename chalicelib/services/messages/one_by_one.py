"""Work on several things together, in which one of them must not stop the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from chalicelib.errors import StoreUnavailable

T = TypeVar("T")
R = TypeVar("R")


def together(
    work: Callable[[Sequence[T]], R], things: Sequence[T], failed: Callable[[T, Exception], None]
) -> list[R]:
    """Return the result of the work on all things, or after a failure those of the work on each of them.

    failed: Called with a thing on which the work fails alone. Raises StoreUnavailable.
    """
    try:
        return [work(things)]
    except StoreUnavailable:
        raise
    except Exception as failure:
        if len(things) > 1:
            return [result for one in things for result in together(work, [one], failed)]
        failed(things[0], failure)
        return []
