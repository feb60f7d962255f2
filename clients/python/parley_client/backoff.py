"""The wait before the next attempt.

Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: full jitter.
"""

from __future__ import annotations

import random
from collections.abc import Callable

MAX_DOUBLINGS = 32


class Backoff:
    """Random waits, whose maximum may grow with each failure.

    base, cap: Seconds.
    draw: Returns a random number between two bounds.
    """

    def __init__(
        self, base: float, cap: float, draw: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._base = base
        self._cap = cap
        self._draw = draw
        self._failures = 0

    def failed(self, retry_after: float | None = None) -> float:
        """Return the number of seconds to wait; at least retry_after, the wait that the server asked for."""
        most = min(self._cap, self._base * 2.0 ** min(self._failures, MAX_DOUBLINGS))
        self._failures += 1
        return (retry_after or 0.0) + self._draw(0.0, most)

    def succeeded(self) -> None:
        """Start again with the shortest waits."""
        self._failures = 0
