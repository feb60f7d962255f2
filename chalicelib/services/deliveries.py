"""How inboxes learn of what happens in chats."""

from __future__ import annotations

import time as clocks
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER
from chalicelib.services.work import SWEEP_AGE_MICROSECONDS
from chalicelib.store.chats import Chats
from chalicelib.store.client import BREAK_SECONDS, Query, Store
from chalicelib.store.inboxes import Inboxes, Place
from chalicelib.store.outbox import INDEXED, MOVED, PLACED, Outbox, Telling

AT_ONCE = 500
"""What the sweep tells in one go: a few trips each for what is so, for telling it, and for taking it off."""

MOST_PAUSES = 30
"""Times that a sweep waits for the store to come back."""
MOST_LOGGED = 10
"""Failures of a sweep that have a line of their own in the log."""

Queries = list[Query[Any]]


class Deliveries:
    """Tells inboxes at once what a change owes them, and once more from the outbox.

    The second time is for what the first did not reach, and for an index whose node has lost its last writes
    since (docs/adr/0011-truth-and-index.md). Telling again, or late, changes nothing.
    index: makes a chat's search entries. depart: takes a deleted user out of a chat, by handle and chat.
    clock: seconds since 1970. pause: waits for some seconds.
    """

    def __init__(
        self,
        store: Store,
        chats: Chats,
        index: Callable[[str], None],
        depart: Callable[[str, str], None],
        clock: Callable[[], float] = clocks.time,
        pause: Callable[[float], None] = clocks.sleep,
    ) -> None:
        self._store = store
        self._chats = chats
        self._inboxes = Inboxes(store)
        self._outbox = Outbox(store)
        self._index = index
        self._depart = depart
        self._clock = clock
        self._pause = pause

    def tell(
        self, chat: str, time: int | None, members: Sequence[str] | None, places: Sequence[Place] = ()
    ) -> None:
        """Tell the inboxes, in one trip; a failure is logged and left to the sweep: the change is made.

        time: of the message that was appended, µs; None: none was. members: whom it goes to; None: too
        many to tell each. places: where the chat stands now for those whom the change concerns.
        """
        delivering = [] if time is None else self._inboxes.delivering(chat, time, members or ())
        try:
            self._place(delivering, [(chat, place) for place in places])
        except Exception:
            LOGGER.exception({"event": "inboxes_owed"})

    def sweep(self) -> int:
        """Tell all that has been in the outbox for a while, and take it off; returns how much that was.

        What fails is tried again after all the others, and then alone; what still fails is logged, and stays.
        Raises StoreUnavailable when the outboxes cannot be read.
        """
        now = int(self._clock() * 1_000_000)
        recent = range(now - SWEEP_AGE_MICROSECONDS, now)  # later ones are of a clock that fell back since
        late = [telling for telling in self._outbox.everything() if telling.since not in recent]
        left, failures, pauses = late, list[tuple[Sequence[Telling], Exception]](), iter(range(MOST_PAUSES))
        for size in (AT_ONCE, AT_ONCE, 1):
            parts = [left[start : start + size] for start in range(0, len(left), size)]
            failures = [(part, failure) for part in parts if (failure := self._failure(part, pauses))]
            left = [telling for part, _ in failures for telling in part]
        for (telling,), failure in failures[:MOST_LOGGED]:
            LOGGER.error({"event": "inboxes_owed", "item": telling.field}, exc_info=failure)
        if len(failures) > MOST_LOGGED:
            LOGGER.error({"event": "inboxes_owed", "more": len(failures) - MOST_LOGGED})
        return len(late) - len(left)

    def _failure(self, tellings: Sequence[Telling], pauses: Iterator[int]) -> Exception | None:
        """Tell some of it, and return why that failed; a store that is gone is given time to come back."""
        try:
            self._settle(tellings)
        except Exception as failure:
            if isinstance(failure, StoreUnavailable) and next(pauses, None) is not None:
                self._pause(BREAK_SECONDS)
            return failure
        return None

    def _settle(self, tellings: Sequence[Telling]) -> None:
        delivering, placing = self._truths(tellings)
        self._place(delivering, placing)
        for telling in tellings:
            if telling.kind == INDEXED:
                self._index(telling.chat)
        self._store.fetch_all(map(self._outbox.clearing, tellings))

    def _truths(self, tellings: Sequence[Telling]) -> tuple[Queries, list[tuple[str, Place]]]:
        """Return what to tell: the queries that deliver messages, and the places in chats."""
        moved = [telling for telling in tellings if telling.kind == MOVED]
        placed = [telling for telling in tellings if telling.kind == PLACED]
        asking: Queries = [self._outbox.audience(one.chat) for one in moved]
        asking += [self._chats.place(one.chat, one.handle) for one in placed]
        found = self._store.fetch_all(asking)
        delivering: Queries = []
        for one, audience in zip(moved, found[: len(moved)], strict=True):
            delivering += self._inboxes.delivering(one.chat, audience.time, audience.members)
        places = found[len(moved) :]
        return delivering, [
            (one.chat, place._replace(stamp=max(place.stamp, one.since)))
            for one, place in zip(placed, places, strict=True)
        ]

    def _place(self, delivering: Queries, placing: Iterable[tuple[str, Place]]) -> None:
        """Place first: a message that is told before its chat was placed is told to nobody."""
        pairs = list(placing)
        queries = [query for chat, place in pairs for query in self._inboxes.placing(chat, [place])]
        there = self._store.fetch_all([*queries, *delivering])[: len(queries)]
        for (chat, place), live in zip(pairs, there, strict=True):
            if not live:
                self._depart(place.handle, chat)
