"""The sweep of the outbox: delivers again what the fan-out did not deliver."""

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
from chalicelib.store.messages.outbox import (
    INBOX_ENTRY,
    MESSAGE,
    MESSAGE_CHANGE,
    SEARCH_ENTRIES,
    Audience,
    OutboxEntry,
)
from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.redis.client import BREAK_SECONDS, Store
from chalicelib.store.redis.query import Runnable

AT_ONCE = 500
"""Maximum number of entries of the outbox that are delivered together, in a few round trips."""

MAX_PAUSES = 30
"""Maximum number of times that a sweep waits for the store to come back."""

Queries = list[Runnable[Any]]


class OutboxSweep:
    """Delivers the entries that stay in the outbox, from the chats as they are now.

    Every entry waits for a sweep: its fan-out may have failed, and the node of an index may have lost its
    last writes since (docs/adr/0011-truth-and-index.md). Delivery is idempotent.

    index: Updates a chat's search entries. depart: See ChatFanOut.write. clock: Seconds since 1970.
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
        """Deliver the entries older than SWEEP_AGE_MICROSECONDS, and clear them; return their number.

        A failed entry is tried again after all the others, and then alone; if it still fails, it is logged
        and stays. A message that was not pushed to all its connections is pushed once, and stays if the push
        misses a connection. Raises StoreUnavailable: the outboxes cannot be read.
        """
        now = int(self._clock() * 1_000_000)
        recent = range(now - SWEEP_AGE_MICROSECONDS, now)  # later entries: the clock has fallen back since
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
        """Return the number of cleared entries, or the failure; pauses if the store is unavailable."""
        try:
            return self._deliver(entries)
        except Exception as failure:
            if isinstance(failure, StoreUnavailable) and next(pauses, None) is not None:
                self._pause(BREAK_SECONDS)
            return failure

    def _deliver(self, entries: Sequence[OutboxEntry]) -> int:
        """Deliver entries, and clear them; return the number of cleared ones."""
        messages = [one for one in entries if one.kind == MESSAGE]
        audiences, updates = self._current(messages, [one for one in entries if one.kind == INBOX_ENTRY])
        there = self._write(audiences, updates)
        self._move([one.chat for one in entries if one.kind == MESSAGE_CHANGE])
        for entry in entries:
            if entry.kind == SEARCH_ENTRIES:
                self._index(entry.chat)
        late = [
            (chat, recipients)
            for (chat, audience), recipients in zip(audiences, there, strict=True)
            if audience.pushed < audience.time
        ]
        unreached = self._fan_out.message_push.push_newest(late)
        done = [one for one in entries if not (one.kind == MESSAGE and one.chat in unreached)]
        self._store.run_all(map(self._outbox.clear, done))
        return len(done)

    def _move(self, chats: Sequence[str]) -> None:
        """Move chats with changed messages up in the inboxes of their members."""
        audiences = self._store.run_all(map(self._outbox.audience, chats))
        self._store.run_all(
            self._fan_out.inboxes.deliver_change(chat, audience.members)
            for chat, audience in zip(chats, audiences, strict=True)
        )

    def _current(
        self, messages: Sequence[OutboxEntry], changed: Sequence[OutboxEntry]
    ) -> tuple[list[tuple[str, Audience]], list[tuple[str, InboxEntry]]]:
        """Return the audiences of the newest messages, and the inbox entries, both by chat and as of now."""
        asking: Queries = [self._outbox.audience(one.chat) for one in messages]
        asking += [self._chats.entry(one.chat, one.handle) for one in changed]
        found = self._store.run_all(asking)
        audiences = [
            (one.chat, audience) for one, audience in zip(messages, found[: len(messages)], strict=True)
        ]
        return audiences, [
            (one.chat, entry._replace(stamp=max(entry.stamp, one.since)))
            for one, entry in zip(changed, found[len(messages) :], strict=True)
        ]

    def _write(
        self, audiences: Iterable[tuple[str, Audience]], updates: Sequence[tuple[str, InboxEntry]]
    ) -> list[list[Recipient]]:
        """Write inboxes; return the connections of each audience."""
        parts = list(audiences)
        delivering: Queries = [
            self._fan_out.inboxes.deliver(chat, audience.time, audience.members) for chat, audience in parts
        ]
        replies = self._fan_out.write(updates, delivering, self._depart)
        return [
            [*audience.recipients, *recipients]
            for (_, audience), recipients in zip(parts, replies, strict=True)
        ]
