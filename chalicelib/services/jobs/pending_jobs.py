"""Work recorded in the store: done after the change it follows from, now, by the queue, or by the sweep."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from chalicelib.logs import LOGGER
from chalicelib.queues import JobQueue
from chalicelib.store.redis.client import Store
from chalicelib.store.work.pending import PendingWork

JobHandler = Callable[..., None]

SWEEP_AGE_MICROSECONDS = 5_000_000
"""What is owed for a shorter time is being done by whoever owes it."""


class PendingJobs:
    """Does what is owed, each item as often as it takes and to the same effect.

    handlers: kind of item -> what does it, called with the handle and whatever else follows in the item.
    clock: seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        pending: PendingWork,
        queue: JobQueue,
        handlers: Mapping[str, JobHandler],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._pending = pending
        self._queue = queue
        self._handlers = handlers
        self._clock = clock

    def run(self, item: str) -> None:
        """Do an item if it is owed, and clear it; raises what its handler raises, and then it stays owed."""
        kind, handle, *rest = item.split(":")
        version = self._store.run(self._pending.version(handle, item))
        if version is None:
            return
        self._handlers[kind](handle, *rest)
        self._store.run(self._pending.clear(handle, item, version))

    def try_now(self, item: str) -> None:
        """Do an item at once; a failure is logged and left to the sweep: what it follows from is done."""
        try:
            self.run(item)
        except Exception:
            LOGGER.exception({"event": "owed", "kind": item.partition(":")[0]})

    def enqueue(self, *items: str) -> None:
        """Have the queue do items; should it lose one, the sweep finds it."""
        self._queue.put(items)

    def sweep(self) -> int:
        """Do all that has been owed for a while; returns how many items that were.

        One that fails is logged and holds up no other.
        """
        now = int(self._clock() * 1_000_000)
        recent = range(now - SWEEP_AGE_MICROSECONDS, now)  # later ones are of a clock that fell back since
        late = [item.text for item in self._store.run(self._pending.all()) if item.since not in recent]
        for item in late:
            self.try_now(item)
        return len(late)
