"""`python -m infra.local.event_sources SECONDS FOLDER`: poll the queues and the schedule until stdin ends."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from pathlib import Path

from chalicelib.config import Settings
from chalicelib.push_gateway import installed
from chalicelib.store.redis import client
from chalicelib.store.work.job_list import JobList
from infra.local import line_writer, terminal_log
from infra.local.event_sources.job_wait import JobWait
from infra.local.event_sources.media_bucket import Bucket
from infra.local.event_sources.polling import Loop
from infra.local.event_sources.queue import Queue, Source
from infra.local.event_sources.schedule import Schedule
from infra.local.sockets.pushing import LocalPusher
from infra.local.sockets.shared import Meeting

GRACE_SECONDS = 5.0
BEAT_SECONDS = 1.0


def main(seconds: float, folder: Path) -> None:
    """Poll all sources; seconds: between two sweeps. folder: the folder of the media."""
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
    loop = Loop(queues, Schedule(functions.sweep, seconds), JobWait(settings).wait)
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
    os._exit(0 if ended else 1)  # a wait leaves nothing half done


if __name__ == "__main__":
    main(float(sys.argv[1]), Path(sys.argv[2]))
