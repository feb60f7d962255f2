"""The sweep of the outbox: what the fan-out did not deliver is delivered again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import log_failures
from chalicelib.services.delivery.fan_out import ChatFanOut, Depart
from chalicelib.services.jobs.pending_jobs import SWEEP_AGE_MICROSECONDS
from chalicelib.store.chats.chats import Chats
from chalicelib.store.inbox.entries import InboxEntry
from chalicelib.store.messages.outbox import INDEXED, MOVED, PLACED, Audience, OutboxEntry
from chalicelib.store.realtime.connection_results import Target
from chalicelib.store.redis.client import BREAK_SECONDS, Store
from chalicelib.store.redis.query import Batch, Query

AT_ONCE = 500
"""Entries of the outbox that are delivered together, in a few round trips."""

MAX_PAUSES = 30
"""Maximum number of times that a sweep waits for the store to come back."""

Queries = list[Query[Any] | Batch[Any]]


class OutboxSweep:
    """Delivers what stays in the outbox, from what is true by now.

    It is there for what the fan-out did not reach, and for an index whose node has lost its last writes since
    (docs/adr/0011-truth-and-index.md). Delivering again, or late, changes nothing.
    index: makes a chat's search entries. depart: see ChatFanOut.write.
    clock: seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        chats: Chats,
        fan_out: ChatFanOut,
        index: Callable[[str], object],
        depart: Depart,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._chats = chats
        self._fan_out = fan_out
        self._outbox = fan_out.outbox
        self._index = index
        self._depart = depart
        self._clock = clock
        self._pause: Callable[[float], None] = time.sleep

    def sweep(self) -> int:
        """Deliver all that has been in the outbox for a while, and clear it; return how much that was.

        What fails is tried again after all the others, and then alone; what still fails is logged, and stays.
        A message that was not pushed to everybody is pushed once, and stays if it did not reach somebody.
        Raises StoreUnavailable when the outboxes cannot be read.
        """
        now = int(self._clock() * 1_000_000)
        recent = range(now - SWEEP_AGE_MICROSECONDS, now)  # later ones are of a clock that fell back since
        left = [entry for entry in self._store.run(self._outbox.entries()) if entry.since not in recent]
        done, pauses = 0, iter(range(MAX_PAUSES))
        failures: list[tuple[Sequence[OutboxEntry], Exception]] = []
        for size in (AT_ONCE, AT_ONCE, 1):
            parts = [left[start : start + size] for start in range(0, len(left), size)]
            outcomes = [(part, self._attempt(part, pauses)) for part in parts]
            done += sum(outcome for _, outcome in outcomes if isinstance(outcome, int))
            failures = [(part, outcome) for part, outcome in outcomes if isinstance(outcome, Exception)]
            left = [entry for part, _ in failures for entry in part]
        log_failures("delivery_pending", [({"item": one.field}, failure) for (one,), failure in failures])
        return done

    def _attempt(self, entries: Sequence[OutboxEntry], pauses: Iterator[int]) -> int | Exception:
        """Return how many entries were cleared, or why it failed: a store that is gone has time to return."""
        try:
            return self._deliver(entries)
        except Exception as failure:
            if isinstance(failure, StoreUnavailable) and next(pauses, None) is not None:
                self._pause(BREAK_SECONDS)
            return failure

    def _deliver(self, entries: Sequence[OutboxEntry]) -> int:
        """Deliver what entries stand for, and clear them; return how many were cleared."""
        moved = [one for one in entries if one.kind == MOVED]
        audiences, placing = self._truths(moved, [one for one in entries if one.kind == PLACED])
        there = self._write(audiences, placing)
        for entry in entries:
            if entry.kind == INDEXED:
                self._index(entry.chat)
        late = [
            (chat, targets)
            for (chat, audience), targets in zip(audiences, there, strict=True)
            if audience.pushed < audience.time
        ]
        unreached = self._fan_out.message_push.push_newest(late)
        done = [one for one in entries if not (one.kind == MOVED and one.chat in unreached)]
        self._store.run_all(map(self._outbox.clear, done))
        return len(done)

    def _truths(
        self, moved: Sequence[OutboxEntry], placed: Sequence[OutboxEntry]
    ) -> tuple[list[tuple[str, Audience]], list[tuple[str, InboxEntry]]]:
        """Return, by chat, whom the newest messages go to, and inbox entries as they should be."""
        asking: Queries = [self._outbox.audience(one.chat) for one in moved]
        asking += [self._chats.entry(one.chat, one.handle) for one in placed]
        found = self._store.run_all(asking)
        audiences = [(one.chat, audience) for one, audience in zip(moved, found[: len(moved)], strict=True)]
        return audiences, [
            (one.chat, entry._replace(stamp=max(entry.stamp, one.since)))
            for one, entry in zip(placed, found[len(moved) :], strict=True)
        ]

    def _write(
        self, audiences: Iterable[tuple[str, Audience]], placing: Sequence[tuple[str, InboxEntry]]
    ) -> list[list[Target]]:
        """Write inboxes; return the connections of each audience."""
        parts = list(audiences)
        delivering: Queries = [
            self._fan_out.inboxes.deliver(chat, audience.time, audience.members) for chat, audience in parts
        ]
        replies = self._fan_out.write(placing, delivering, self._depart)
        return [[*audience.targets, *targets] for (_, audience), targets in zip(parts, replies, strict=True)]
