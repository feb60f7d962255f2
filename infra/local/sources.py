"""The queue and the schedule, which call their functions as Lambda's event sources would."""

from __future__ import annotations

import heapq
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER
from chalicelib.store.work import WorkList
from infra.local.events import LambdaContext
from infra.local.triggers import Message, message, queue_event, schedule_event

Handler = Callable[[Any, Any], Any]

BATCH = 10
MOST_RECEIVES = 5  # as in infra/aws/work.yaml
RETRY_SECONDS = 1.0  # after the first failure; twice as long after each further one
MOST_WAITING = 1000


class Queue:
    """Hands the jobs of the store's list to a function, and those that failed again after a while.

    A job that failed MOST_RECEIVES times is logged and dropped: what it asks for is owed, so the sweep will.
    """

    def __init__(self, handler: Handler, jobs: WorkList, clock: Callable[[], float] = time.monotonic) -> None:
        self._handler = handler
        self._jobs = jobs
        self._clock = clock
        self._waiting: list[tuple[float, str, Message]] = []

    def poll(self) -> bool:
        """Hand over what waits, a batch each of old and new; returns whether there was any.

        Raises StoreUnavailable when the list cannot be read.
        """
        due = self._due()
        if due:
            self._hand_over(due)
        fresh = [message(body) for body in self._jobs.pop(BATCH)] if len(self._waiting) < MOST_WAITING else []
        if fresh:
            self._hand_over(fresh)
        return bool(due or fresh)

    def _due(self) -> list[Message]:
        due: list[Message] = []
        while self._waiting and len(due) < BATCH and self._waiting[0][0] <= self._clock():
            due.append(heapq.heappop(self._waiting)[-1])
        return due

    def _hand_over(self, batch: Sequence[Message]) -> None:
        failed = {one.id for one in batch}
        try:
            answer = self._handler(queue_event(batch), LambdaContext(str(uuid.uuid4())))
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        except Exception:
            LOGGER.exception({"event": "defect", "function": "worker"})
        for one in batch:
            if one.id in failed:
                self._repeat(one)

    def _repeat(self, one: Message) -> None:
        if one.receives >= MOST_RECEIVES:
            LOGGER.error({"event": "work_given_up", "message_id": one.id, "receives": one.receives})
            return
        due = self._clock() + RETRY_SECONDS * 2 ** (one.receives - 1)
        heapq.heappush(self._waiting, (due, one.id, one))


class Schedule:
    """Calls a function at once, and then every so many seconds."""

    def __init__(self, handler: Handler, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._handler = handler
        self._seconds = seconds
        self._clock = clock
        self._next = clock()

    def poll(self) -> None:
        """Call the function if its time has come; its failure is logged, and no other call the earlier."""
        if self._clock() < self._next:
            return
        try:
            self._handler(schedule_event(), LambdaContext(str(uuid.uuid4())))
        except StoreUnavailable as error:
            LOGGER.warning({"event": "sweep", "code": error.code, "cause": str(error.__cause__)})
        except Exception:
            LOGGER.exception({"event": "defect", "function": "sweep"})
        self._next = self._clock() + self._seconds
