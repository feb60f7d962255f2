"""When a process that failed is started again, and which of its failures are reported."""

from __future__ import annotations

import time
from collections.abc import Callable

FIRST_SECONDS, MAX_SECONDS = 0.5, 30.0
QUIET_SECONDS = 60.0
LIVED_SECONDS = 1.0
"""A process that dies after so long has not kept dying, and its death is reported."""
MANY = 5


class Backoff:
    """The failures of one process in a row.

    A row ends when QUIET_SECONDS pass after a delay without a failure. clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failures = 0
        self._over = 0.0
        self._started: float | None = None
        self._has_lived = False

    def started(self) -> None:
        """Note that the process runs again."""
        self._started = self._clock()

    def failed(self) -> float:
        """Count a failure and return the seconds to wait: none at first, then twice as long each time."""
        now = self._clock()
        self._has_lived = self._started is not None and now - self._started > LIVED_SECONDS
        self._started = None
        if now > self._over:
            self._failures = 0
        delay = min(FIRST_SECONDS * 2 ** (self._failures - 1), MAX_SECONDS) if self._failures else 0.0
        self._failures += 1
        self._over = now + delay + QUIET_SECONDS
        return delay

    @property
    def is_first(self) -> bool:
        """Whether the last failure began a row."""
        return self._failures == 1

    @property
    def is_news(self) -> bool:
        """Whether to report the last failure: it began a row, or the process had lived before it."""
        return self.is_first or self._has_lived

    @property
    def is_many(self) -> bool:
        """Whether to report that the failures do not end."""
        return self._failures == MANY
