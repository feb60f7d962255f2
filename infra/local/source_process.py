"""`python -m infra.local.source_process SECONDS`: the queue and the schedule, until its input ends."""

from __future__ import annotations

import logging
import os
import sys
import threading

from chalicelib.config import Settings
from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER
from chalicelib.store import client
from chalicelib.store.work import WorkList
from infra.local.sources import Queue, Schedule

POLL_SECONDS = 0.03
PAUSE_SECONDS = 1.0
GRACE_SECONDS = 5.0


class Loop:
    """Polls the queue and the schedule until it is told to end; while the queue fails, less often."""

    def __init__(self, queue: Queue, schedule: Schedule) -> None:
        self.ended = threading.Event()
        self._queue = queue
        self._schedule = schedule
        self._failing = False

    def run(self) -> None:
        """Poll, one call at a time."""
        while not self.ended.is_set():
            self.ended.wait(self._turn())

    def _turn(self) -> float:
        """Poll once, and return how many seconds to wait before the next time."""
        try:
            busy = self._queue.poll()
        except Exception as error:
            self._tell_once(error)
            return PAUSE_SECONDS
        if self._failing:
            LOGGER.info({"event": "queue_back"})
        self._failing = False
        self._schedule.poll()
        return 0.0 if busy else POLL_SECONDS

    def _tell_once(self, error: Exception) -> None:
        outage = isinstance(error, StoreUnavailable)
        line = {"event": "queue_unreachable", "cause": str(error.__cause__ or error)}
        if not self._failing:
            LOGGER.log(logging.WARNING if outage else logging.ERROR, line, exc_info=None if outage else error)
        self._failing = True


def main(seconds: float) -> None:
    """Serve both sources; seconds: between two sweeps."""
    import app as functions  # here, as it makes the services of this process

    jobs = WorkList(client.connect(Settings.from_env()))
    loop = Loop(Queue(functions.work, jobs), Schedule(functions.sweep, seconds))
    threading.Thread(target=_end_with_input, args=(loop,), daemon=True).start()
    loop.run()


def _end_with_input(loop: Loop) -> None:
    """End when standard input does: the server has closed it, or is gone."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    loop.ended.set()
    threading.Event().wait(GRACE_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    main(float(sys.argv[1]))
