"""Time limits of one connection, one after the other, by one timer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class TimeLimit:
    """Calls a function when a time limit has passed; setting another limit costs no timer.

    passed: Called once for a limit, and may set another one.
    """

    def __init__(self, passed: Callable[[], None]) -> None:
        self._passed = passed
        self._loop = asyncio.get_running_loop()
        self._deadline: float | None = None
        self._fires_at = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """Set a limit, in place of the last one."""
        self._deadline = deadline = self._loop.time() + seconds
        if self._timer is None or self._fires_at > deadline:
            self._start(deadline)

    def clear(self) -> None:
        """Set no limit for now; the timer stays for the next one."""
        self._deadline = None

    def end(self) -> None:
        """Set no limit any more."""
        self._deadline = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self, moment: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._fires_at = moment
        self._timer = self._loop.call_at(moment, self._look)

    def _look(self) -> None:
        """Report a limit that has passed; one that was set later has time left."""
        self._timer = None
        if self._deadline is None:
            return
        if self._deadline > self._loop.time():
            self._start(self._deadline)
        else:
            self._deadline = None
            self._passed()
