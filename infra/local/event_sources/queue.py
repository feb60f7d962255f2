"""A queue that calls a function with its messages, as SQS calls a Lambda."""

from __future__ import annotations

import heapq
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from chalicelib.logs import LOGGER
from infra.local.event_sources.aws_events import Message, message, queue_event
from infra.local.events import LambdaContext

Handler = Callable[[Any, Any], Any]

BATCH = 10
MAX_RECEIVES = 5  # as in infra/aws/work.yaml and infra/aws/queues.yaml
RETRY_SECONDS = 1.0  # after the first failure; twice as long after each further one
MAX_WAITING = 1000


class Source(NamedTuple):
    """Where a queue gets its messages from.

    take: returns the bodies of the oldest messages, at most as many as it is given. settle: called with the
    body of each message that the function took, or that is dropped.
    """

    take: Callable[[int], Sequence[str]]
    settle: Callable[[str], object] = lambda _: None


class Queue:
    """Calls a function with the messages of a source, and again later with those that failed.

    name: the queue's name in events and in the log. A message that failed MAX_RECEIVES times is logged and
    dropped.
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
        """Seconds until a message that failed is handed over again."""
        return self._waiting[0][0] - self._clock() if self._waiting else float("inf")

    def poll(self) -> bool:
        """Hand over a batch each of failed and of new messages; return whether there were any.

        Raises what the source raises when nothing can be taken.
        """
        due = self._due()
        if due:
            self._hand_over(due)
        fresh = (
            [message(body) for body in self._source.take(BATCH)] if len(self._waiting) < MAX_WAITING else []
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
            elif one.receives < MAX_RECEIVES:
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
