"""The queues and the schedule, which call their functions as Lambda's event sources would."""

from __future__ import annotations

import heapq
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER
from infra.local.event_sources.triggers import Message, message, queue_event, schedule_event
from infra.local.events import LambdaContext

Handler = Callable[[Any, Any], Any]

BATCH = 10
MOST_RECEIVES = 5  # as in infra/aws/work.yaml and infra/aws/queues.yaml
RETRY_SECONDS = 1.0  # after the first failure; twice as long after each further one
MOST_WAITING = 1000


class Source(NamedTuple):
    """Where a queue has its messages from.

    take: returns the bodies of the oldest, so many at the most. settle: is told the body of each that the
    function took, or that was given up.
    """

    take: Callable[[int], Sequence[str]]
    settle: Callable[[str], object] = lambda _: None


class Queue:
    """Hands the messages of a source to a function, and those that failed again after a while.

    name: what the queue is called in events and in the log. A message that failed MOST_RECEIVES times is
    logged and dropped.
    """

    def __init__(
        self, name: str, handler: Handler, source: Source, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self._handler = handler
        self._source = source
        self._clock = clock
        self._waiting: list[tuple[float, str, Message]] = []

    @property
    def seconds_left(self) -> float:
        """How long until a message that failed is to be handed over again."""
        return self._waiting[0][0] - self._clock() if self._waiting else float("inf")

    def poll(self) -> bool:
        """Hand over what waits, a batch each of old and new; returns whether there was any.

        Raises what the source raises when nothing can be taken.
        """
        due = self._due()
        if due:
            self._hand_over(due)
        fresh = (
            [message(body) for body in self._source.take(BATCH)] if len(self._waiting) < MOST_WAITING else []
        )
        if fresh:
            self._hand_over(fresh)
        return bool(due or fresh)

    def _due(self) -> list[Message]:
        due: list[Message] = []
        while self.seconds_left <= 0 and len(due) < BATCH:
            due.append(heapq.heappop(self._waiting)[-1])
        return due

    def _hand_over(self, batch: Sequence[Message]) -> None:
        failed = {one.id for one in batch}
        try:
            answer = self._handler(queue_event(self.name, batch), LambdaContext(str(uuid.uuid4())))
            failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        except Exception:
            LOGGER.exception({"event": "defect", "queue": self.name})
        for one in batch:
            if one.id not in failed:
                self._settle(one)
            elif one.receives < MOST_RECEIVES:
                self._repeat(one)
            else:
                line = {"event": "given_up", "queue": self.name}
                LOGGER.error({**line, "message_id": one.id, "receives": one.receives})
                self._settle(one)

    def _repeat(self, one: Message) -> None:
        due = self._clock() + RETRY_SECONDS * 2 ** (one.receives - 1)
        heapq.heappush(self._waiting, (due, one.id, one))

    def _settle(self, one: Message) -> None:
        try:
            self._source.settle(one.body)
        except Exception:
            LOGGER.exception({"event": "not_settled", "queue": self.name, "message_id": one.id})


class Schedule:
    """Calls a function at once, and then every so many seconds.

    failing: whether the last call failed.
    """

    def __init__(self, handler: Handler, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._handler = handler
        self._seconds = seconds
        self._clock = clock
        self._next = clock()
        self.failing = False

    @property
    def seconds_left(self) -> float:
        """How long until the function is to be called."""
        return self._next - self._clock()

    def poll(self) -> None:
        """Call the function if its time has come; its failure is logged, and no other call the earlier."""
        if self.seconds_left > 0:
            return
        self.failing = True
        try:
            self._handler(schedule_event(), LambdaContext(str(uuid.uuid4())))
        except StoreUnavailable as error:
            LOGGER.warning({"event": "sweep", "code": error.code, "cause": str(error.__cause__)})
        except Exception:
            LOGGER.exception({"event": "defect", "function": "sweep"})
        else:
            self.failing = False
        self._next = self._clock() + self._seconds
