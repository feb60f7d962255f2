"""The part of the sweep that deletes messages that have expired."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence

from chalicelib.logs import log_failures
from chalicelib.services.delivery.fan_out import ChatFanOut
from chalicelib.services.messages.one_by_one import together
from chalicelib.services.values.chat_id import canonical
from chalicelib.store.messages.changes import MessageChange, MessageChanges, NewVersion, Seen
from chalicelib.store.messages.content import LogEntry, expired
from chalicelib.store.messages.expiries import Expiries, Expiry
from chalicelib.store.redis.client import Store

DUE_OF_PARTITION = 100
"""Maximum number of messages of each of the 256 partitions that are read together."""
AT_ONCE = 100
"""Maximum number of messages that are deleted together, in two round trips and those of the delivery."""
BUDGET_SECONDS = 20.0
"""How long one sweep begins to delete messages; the next sweep goes on."""
SERVER = ""
"""The actor of the server's own changes, see MessageChanges."""

Deleted = tuple[LogEntry, int, MessageChange]
"""What remains of a message, the epoch of its log, and its deletion."""


class ExpirySweep:
    """Deletes messages that have expired, as the server, and delivers the changes.

    Nobody can read a text from the moment at which it expires, see store.messages.content; the sweep removes
    it from the store. Several sweeps may run at once: each message is deleted by one of them.

    monotonic: Returns seconds.
    """

    def __init__(
        self,
        store: Store,
        expiries: Expiries,
        changes: MessageChanges,
        fan_out: ChatFanOut,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._expiries = expiries
        self._changes = changes
        self._fan_out = fan_out
        self._monotonic = monotonic

    def sweep(self) -> int:
        """Delete the messages that have expired, the earliest first; return how many were deleted.

        A message that cannot be deleted is logged, and stays for the next sweep. Raises StoreUnavailable.
        """
        end, deleted, failed = self._monotonic() + BUDGET_SECONDS, 0, set[Expiry]()
        while due := self._due(failed):
            for start in range(0, len(due), AT_ONCE):
                if self._monotonic() > end:
                    return deleted
                deleted += self._attempt(due[start : start + AT_ONCE], failed)
        return deleted

    def _due(self, failed: set[Expiry]) -> list[Expiry]:
        found = self._store.run(self._expiries.due(DUE_OF_PARTITION + len(failed)))
        return sorted(set(found) - failed)

    def _attempt(self, part: Sequence[Expiry], failed: set[Expiry]) -> int:
        """Delete messages; return how many were deleted. Adds those that cannot be deleted to `failed`."""

        def keep(one: Expiry, failure: Exception) -> None:
            failed.add(one)
            log_failures("expiry_pending", [({"chat": one.chat, "seq": one.seq}, failure)])

        return sum(together(self._delete, part, keep))

    def _delete(self, part: Sequence[Expiry]) -> int:
        """Delete messages, unless they have changed this moment; return how many were deleted."""
        found = self._store.run_all(self._changes.read_stored(one.chat, one.seq) for one in part)
        seen = {one: held for one, held in zip(part, found, strict=True) if _expires(held)}
        remains = {one: expired(held.entry) for one, held in seen.items()}
        self._store.run_all(self._expiries.drop(one) for one in part if one not in seen)
        changes = self._store.run_all(
            self._changes.change(one.chat, held, NewVersion(remains[one].content), SERVER)
            for one, held in seen.items()
        )
        by_chat: dict[str, list[Deleted]] = {}
        for (one, held), change in zip(seen.items(), changes, strict=True):
            if change is not None:
                left = remains[one]._replace(change=change.number, expires=0)
                by_chat.setdefault(one.chat, []).append((left, held.epoch, change))
        for chat, deleted in by_chat.items():
            self._deliver(chat, deleted)
        return sum(map(len, by_chat.values()))

    def _deliver(self, chat: str, deleted: Sequence[Deleted]) -> None:
        """Deliver deletions, those with the same readers together."""
        for _, group in itertools.groupby(deleted, lambda one: (one[2].members, one[2].recipients)):
            part = list(group)
            _, epoch, change = part[-1]
            self._fan_out.deliver_expired(canonical(chat), [entry for entry, _, _ in part], epoch, change)


def _expires(held: Seen | None) -> bool:
    """Return whether the log holds a message, and it expires: one that was deleted does not."""
    return held is not None and held.entry.expires > 0
