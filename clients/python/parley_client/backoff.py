"""How long to wait before the next try.

Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015: full jitter.
"""

from __future__ import annotations

import random
from collections.abc import Callable

MOST_DOUBLINGS = 32


class Backoff:
    """Waits that are random and may grow with each failure. base, cap: s. draw: a number from a to b."""

    def __init__(
        self, base: float, cap: float, draw: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._base = base
        self._cap = cap
        self._draw = draw
        self._failures = 0

    def failed(self, retry_after: float | None = None) -> float:
        """Return how many seconds to wait now; retry_after: what the server asked for, never undercut."""
        most = min(self._cap, self._base * 2.0 ** min(self._failures, MOST_DOUBLINGS))
        self._failures += 1
        return (retry_after or 0.0) + self._draw(0.0, most)

    def succeeded(self) -> None:
        """Begin again with the shortest waits."""
        self._failures = 0
