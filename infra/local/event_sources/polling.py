"""The loop that polls the queues and the schedule."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER
from infra.local.event_sources.queue import Queue
from infra.local.event_sources.schedule import Schedule

PAUSE_SECONDS = 1.0

Wait = Callable[[float, threading.Event], None]


class Loop:
    """Polls queues and a schedule until `end` is called; a queue that fails is polled less often.

    wait: returns when the first queue has a message, or after some seconds, or when the event is set. The
    schedule pauses while the first queue fails: both need the store.
    """

    def __init__(self, queues: Sequence[Queue], schedule: Schedule, wait: Wait) -> None:
        self._queues = queues
        self._schedule = schedule
        self._wait = wait
        self._ended = threading.Event()
        self._working = threading.Lock()
        self._failing: set[str] = set()

    @property
    def failing(self) -> bool:
        """Whether a queue cannot be polled, or the last sweep failed."""
        return bool(self._failing) or self._schedule.failing

    def run(self) -> None:
        """Poll, one call at a time."""
        while not self._ended.is_set():
            with self._working:
                seconds = self._turn()
            if self._queues[0].name in self._failing:
                self._ended.wait(seconds)
            elif seconds > 0:
                self._await(seconds)

    def end(self, seconds: float) -> bool:
        """Start no more calls, and return whether the current one ended within some seconds."""
        self._ended.set()
        return self._working.acquire(timeout=seconds)

    def _await(self, seconds: float) -> None:
        try:
            self._wait(seconds, self._ended)
        except OSError:  # no more files can be opened, which the next poll reports
            self._ended.wait(PAUSE_SECONDS)

    def _turn(self) -> float:
        """Poll once, and return the seconds until the next poll."""
        seconds = min([self._polled(queue) for queue in self._queues])
        if self._queues[0].name in self._failing:
            return seconds
        self._schedule.poll()
        return min(seconds, self._schedule.seconds_left)

    def _polled(self, queue: Queue) -> float:
        try:
            busy = queue.poll()
        except Exception as error:
            self._report_once(queue.name, error)
            return PAUSE_SECONDS
        if queue.name in self._failing:
            LOGGER.info({"event": "queue_back", "queue": queue.name})
            self._failing.remove(queue.name)
        return 0.0 if busy else min(PAUSE_SECONDS, queue.seconds_left)

    def _report_once(self, name: str, error: Exception) -> None:
        outage = isinstance(error, StoreUnavailable)
        line = {"event": "queue_unreachable", "queue": name, "cause": str(error.__cause__ or error)}
        if name not in self._failing:
            LOGGER.log(logging.WARNING if outage else logging.ERROR, line, exc_info=None if outage else error)
        self._failing.add(name)
