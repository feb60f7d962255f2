"""`python -m infra.local.event_sources.source_process SECONDS FOLDER`: run them until its input ends."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from chalicelib.config import Settings
from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER
from chalicelib.push_gateway import installed
from chalicelib.store.redis import client
from chalicelib.store.work.job_list import JobList
from infra.local import line_writer, terminal_log
from infra.local.event_sources.arrivals import Arrivals
from infra.local.event_sources.bucket import Bucket
from infra.local.event_sources.sources import Queue, Schedule, Source
from infra.local.sockets.pushing import LocalPusher
from infra.local.sockets.shared import Meeting

PAUSE_SECONDS = 1.0
GRACE_SECONDS = 5.0
BEAT_SECONDS = 1.0

Wait = Callable[[float, threading.Event], None]


class Loop:
    """Polls queues and a schedule until it is told to end; a queue that fails, less often.

    wait: returns when the first queue has a message, or after some seconds, or when the event is set. The
    schedule stands still while the first queue fails: both need the store.
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
        """Begin nothing more, and return whether what it is at was done within some seconds."""
        self._ended.set()
        return self._working.acquire(timeout=seconds)

    def _await(self, seconds: float) -> None:
        try:
            self._wait(seconds, self._ended)
        except OSError:  # no more files may be open, which the next poll says
            self._ended.wait(PAUSE_SECONDS)

    def _turn(self) -> float:
        """Poll once, and return after how many seconds to do so again."""
        seconds = min([self._polled(queue) for queue in self._queues])
        if self._queues[0].name in self._failing:
            return seconds
        self._schedule.poll()
        return min(seconds, self._schedule.seconds_left)

    def _polled(self, queue: Queue) -> float:
        try:
            busy = queue.poll()
        except Exception as error:
            self._tell_once(queue.name, error)
            return PAUSE_SECONDS
        if queue.name in self._failing:
            LOGGER.info({"event": "queue_back", "queue": queue.name})
            self._failing.remove(queue.name)
        return 0.0 if busy else min(PAUSE_SECONDS, queue.seconds_left)

    def _tell_once(self, name: str, error: Exception) -> None:
        outage = isinstance(error, StoreUnavailable)
        line = {"event": "queue_unreachable", "queue": name, "cause": str(error.__cause__ or error)}
        if name not in self._failing:
            LOGGER.log(logging.WARNING if outage else logging.ERROR, line, exc_info=None if outage else error)
        self._failing.add(name)


def main(seconds: float, folder: Path) -> None:
    """Serve all sources; seconds: between two sweeps. folder: of the media."""
    import app as functions  # here, as it makes the services of this process

    terminal_log.install()
    settings = Settings.from_env()
    if (meeting := Meeting.from_env()) is not None and not meeting.settings.by_wire:
        installed.install(LocalPusher(meeting))
    store, jobs, bucket = client.connect(settings), JobList(), Bucket(folder)
    queues = (
        Queue("work", functions.work, Source(lambda most: store.run(jobs.pop(most)))),
        Queue("media", functions.media, Source(bucket.take, bucket.settle)),
    )
    loop = Loop(queues, Schedule(functions.sweep, seconds), Arrivals(settings).wait)
    threading.Thread(target=_end_with_input, args=(loop,), daemon=True).start()
    if meeting is not None:
        threading.Thread(target=_beat, args=(loop, meeting), daemon=True).start()
    loop.run()


def _beat(loop: Loop, meeting: Meeting) -> None:
    while True:
        if not loop.failing:
            with contextlib.suppress(OSError):
                meeting.beat()
        time.sleep(BEAT_SECONDS)


def _end_with_input(loop: Loop) -> None:
    """End when standard input does: the server has closed it, or is gone."""
    while os.read(sys.stdin.fileno(), 1):
        pass
    ended = loop.end(GRACE_SECONDS)
    line_writer.drain()
    os._exit(0 if ended else 1)  # a wait is at nothing that could be left half done


if __name__ == "__main__":
    main(float(sys.argv[1]), Path(sys.argv[2]))
