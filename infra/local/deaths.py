"""When to give up on a process that is started again whenever it dies."""

from __future__ import annotations

import time

MOST_DEATHS = 5
DEATHS_SECONDS = 60.0


class Deaths:
    """The deaths of one process, as far as they still count."""

    def __init__(self) -> None:
        self._times: list[float] = []

    def too_many(self) -> bool:
        """Count one more, and say whether it is over MOST_DEATHS within DEATHS_SECONDS."""
        now = time.monotonic()
        self._times = [death for death in self._times if death > now - DEATHS_SECONDS] + [now]
        return len(self._times) > MOST_DEATHS
