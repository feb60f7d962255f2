"""Pending work: done after the change that recorded it, at once, by the queue, or by the sweep."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from chalicelib.logs import LOGGER
from chalicelib.queues import JobQueue
from chalicelib.store.redis.client import Store
from chalicelib.store.work.pending import PendingWork

JobHandler = Callable[..., None]

SWEEP_AGE_MICROSECONDS = 5_000_000
"""Pending work that is younger is being done by the request that recorded it."""


class PendingJobs:
    """Does pending work, each item until it succeeds; doing one again changes nothing.

    handlers: the handler of each kind of item, called with the handle and the rest of the item.
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
        """Do an item if it is pending, and clear it; it stays pending if its handler raises, as this does."""
        kind, handle, *rest = item.split(":")
        version = self._store.run(self._pending.version(handle, item))
        if version is None:
            return
        self._handlers[kind](handle, *rest)
        self._store.run(self._pending.clear(handle, item, version))

    def try_now(self, item: str) -> None:
        """Do an item at once; a failure is logged and left to the sweep, as its change is made already."""
        try:
            self.run(item)
        except Exception:
            LOGGER.exception({"event": "job_pending", "kind": item.partition(":")[0]})

    def enqueue(self, *items: str) -> None:
        """Add items to the queue; if it loses one, the sweep does it."""
        self._queue.put(items)

    def sweep(self) -> int:
        """Do all items that have been pending for a while; return their number.

        An item that fails is logged and does not stop the others.
        """
        now = int(self._clock() * 1_000_000)
        recent = range(now - SWEEP_AGE_MICROSECONDS, now)  # later ones are of a clock that fell back since
        late = [item.text for item in self._store.run(self._pending.all()) if item.since not in recent]
        for item in late:
            self.try_now(item)
        return len(late)
