"""How inboxes, and whoever is connected, learn of what happens in chats."""

from __future__ import annotations

import time as clocks
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER, log_failures
from chalicelib.schemas.messages import Message
from chalicelib.services.jobs.pending_jobs import SWEEP_AGE_MICROSECONDS
from chalicelib.store.chats.chats import Chats
from chalicelib.store.inbox.index import InboxEntry, Inboxes
from chalicelib.store.messages.outbox import INDEXED, MOVED, PLACED, Audience, Outbox, OutboxEntry
from chalicelib.store.realtime.user_connections import Target
from chalicelib.store.redis.client import BREAK_SECONDS, Store
from chalicelib.store.redis.query import Query

if TYPE_CHECKING:
    from chalicelib.services.delivery.message_push import MessagePush

AT_ONCE = 500
"""What the sweep tells in one go: a few trips each for what is so, for telling it, and for taking it off."""

MOST_PAUSES = 30
"""Times that a sweep waits for the store to come back."""

Queries = list[Query[Any]]


class ChatFanOut:
    """Tells at once what a change owes the inboxes and whoever is connected, and once more from the outbox.

    The second time is for what the first did not reach, and for an index whose node has lost its last writes
    since (docs/adr/0011-truth-and-index.md). Delivering again, or late, changes nothing.
    index: makes a chat's search entries. depart: takes a deleted user out of a chat, by handle and chat.
    clock: seconds since 1970. pause: waits for some seconds. broadcast: pushes messages; None: nobody can be
    connected.
    """

    def __init__(
        self,
        store: Store,
        chats: Chats,
        index: Callable[[str], None],
        depart: Callable[[str, str], None],
        clock: Callable[[], float] = clocks.time,
        pause: Callable[[float], None] = clocks.sleep,
        *,
        message_push: MessagePush | None = None,
    ) -> None:
        self._store = store
        self._chats = chats
        self._inboxes = Inboxes(store)
        self._outbox = Outbox(store)
        self._index = index
        self._depart = depart
        self._clock = clock
        self._pause = pause
        self.message_push = message_push

    def deliver_entries(self, chat: str, entries: Sequence[InboxEntry]) -> None:
        """Write inbox entries, in one round trip; a failure is logged and left to the sweep."""
        try:
            self._place([], [(chat, entry) for entry in entries])
        except Exception:
            LOGGER.exception({"event": "inboxes_owed"})

    def deliver_message(
        self,
        chat: str,
        time: int,
        members: Sequence[str] | None,
        entries: Sequence[InboxEntry] = (),
        *,
        message: Message | None = None,
        targets: Sequence[Target] = (),
        skip: str | None = None,
    ) -> None:
        """Tell the inboxes of a message, in one round trip, and push it; a failure is left to the sweep.

        time: the message's, µs. members: None if they are too many to write an inbox each. entries: inbox
        entries that the message's change makes. message: what is pushed; None: the newest of the log.
        targets: connections that get it beside the members'. skip: the sender's connection.
        """
        delivering: Queries = self._inboxes.delivering(chat, time, members or ())
        is_asked = self.message_push and message is None and members is None
        asking: Queries = [self._outbox.audience(chat)] if is_asked else []
        try:
            replies = self._place(delivering + asking, [(chat, entry) for entry in entries])
            found = [*targets, *(target for reply in replies[: len(delivering)] for target in reply)]
            found += [target for audience in replies[len(delivering) :] for target in audience.targets]
            if found and self.message_push:
                self.message_push.push(chat, time, found, message=message, skip=skip)
        except Exception:
            LOGGER.exception({"event": "inboxes_owed"})

    def sweep(self) -> int:
        """Tell all that has been in the outbox for a while, and take it off; returns how much that was.

        What fails is tried again after all the others, and then alone; what still fails is logged, and stays.
        A message that was not pushed to everybody is pushed once, and stays if somebody was not reached.
        Raises StoreUnavailable when the outboxes cannot be read.
        """
        now = int(self._clock() * 1_000_000)
        recent = range(now - SWEEP_AGE_MICROSECONDS, now)  # later ones are of a clock that fell back since
        late = [telling for telling in self._outbox.everything() if telling.since not in recent]
        told, left, pauses = 0, late, iter(range(MOST_PAUSES))
        failures: list[tuple[Sequence[OutboxEntry], Exception]] = []
        for size in (AT_ONCE, AT_ONCE, 1):
            parts = [left[start : start + size] for start in range(0, len(left), size)]
            outcomes = [(part, self._outcome(part, pauses)) for part in parts]
            told += sum(outcome for _, outcome in outcomes if isinstance(outcome, int))
            failures = [(part, outcome) for part, outcome in outcomes if isinstance(outcome, Exception)]
            left = [telling for part, _ in failures for telling in part]
        log_failures("inboxes_owed", [({"item": one.field}, failure) for (one,), failure in failures])
        return told

    def _outcome(self, tellings: Sequence[OutboxEntry], pauses: Iterator[int]) -> int | Exception:
        """Tell some of it; returns how much, or why it failed: a store that is gone has time to return."""
        try:
            return self._settle(tellings)
        except Exception as failure:
            if isinstance(failure, StoreUnavailable) and next(pauses, None) is not None:
                self._pause(BREAK_SECONDS)
            return failure

    def _settle(self, tellings: Sequence[OutboxEntry]) -> int:
        """Tell some of it, and take it off; returns how much of it is off."""
        moved = [telling for telling in tellings if telling.kind == MOVED]
        audiences, placing = self._truths(moved, [one for one in tellings if one.kind == PLACED])
        told = self._told(audiences, placing)
        for telling in tellings:
            if telling.kind == INDEXED:
                self._index(telling.chat)
        late = [
            (chat, targets)
            for (chat, audience), targets in zip(audiences, told, strict=True)
            if audience.pushed < audience.time
        ]
        owed = self.message_push.push_newest(late) if self.message_push else set()
        done = [one for one in tellings if not (one.kind == MOVED and one.chat in owed)]
        self._store.run_all(map(self._outbox.clearing, done))
        return len(done)

    def _truths(
        self, moved: Sequence[OutboxEntry], placed: Sequence[OutboxEntry]
    ) -> tuple[list[tuple[str, Audience]], list[tuple[str, InboxEntry]]]:
        """Return what to tell, by chat: whom the newest messages go to, and places."""
        asking: Queries = [self._outbox.audience(one.chat) for one in moved]
        asking += [self._chats.entry(one.chat, one.handle) for one in placed]
        found = self._store.run_all(asking)
        audiences = [(one.chat, audience) for one, audience in zip(moved, found[: len(moved)], strict=True)]
        return audiences, [
            (one.chat, place._replace(stamp=max(place.stamp, one.since)))
            for one, place in zip(placed, found[len(moved) :], strict=True)
        ]

    def _told(
        self, audiences: Iterable[tuple[str, Audience]], placing: Sequence[tuple[str, InboxEntry]]
    ) -> list[list[Target]]:
        """Tell the inboxes of it; returns the connections of each audience."""
        parts = [
            (audience, self._inboxes.delivering(chat, audience.time, audience.members))
            for chat, audience in audiences
        ]
        replies = iter(self._place([query for _, queries in parts for query in queries], placing))
        return [
            [*audience.targets, *(target for _ in queries for target in next(replies))]
            for audience, queries in parts
        ]

    def _place(self, delivering: Queries, placing: Iterable[tuple[str, InboxEntry]]) -> list[Any]:
        """Place first: a message that is told before its chat was placed is told to nobody.

        Returns what delivering replies.
        """
        pairs = list(placing)
        queries = [query for chat, place in pairs for query in self._inboxes.placing(chat, [place])]
        replies = self._store.run_all([*queries, *delivering])
        for (chat, place), placed in zip(pairs, replies[: len(queries)], strict=True):
            if not placed.live_account:
                self._depart(place.handle, chat)
            elif placed.targets and self.message_push:
                self.message_push.attach(chat, place.handle, placed.targets)
        return replies[len(queries) :]
