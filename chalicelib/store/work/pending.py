"""Pending work in other slots, recorded in the slot of the change that it follows from."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.store import keys
from chalicelib.store.redis.query import Batch, Query, concatenated
from chalicelib.store.redis.scripts import Script

CLEAR_PENDING_WORK = Script("work/clear_pending_work")


class PendingItem(NamedTuple):
    """Pending work: `<kind>:<handle>`, then what else the kind needs; since: µs since 1970."""

    text: str
    since: int


class PendingWork:
    """The outbox of the users. Its key, one a partition:

    `{u<NNN>}:owed`: HASH, no expiry: item -> version, the time in µs at which it was recorded. The
        script of a change records it; a job that has done the work clears it, if the version is the same.
    """

    def version(self, handle: str, item: str) -> Query[int | None]:
        """Return the query for the time at which an item was recorded, µs since 1970; None: it is not."""
        return Query("HGET", (keys.pending(handle),), (item,), lambda held: held and int(held))

    def clear(self, handle: str, item: str, version: int) -> Query[bool]:
        """Return the query that deletes an item if its version is unchanged; it returns whether it did."""
        return Query(CLEAR_PENDING_WORK, (keys.pending(handle),), (item, version), bool)

    def all(self) -> Batch[list[PendingItem]]:
        """Return the batch for the pending items of all users."""
        return concatenated([Query("HGETALL", (key,), read=_items) for key in keys.all_of(keys.pending)])


def _items(flat: list[bytes]) -> list[PendingItem]:
    return [PendingItem(text.decode(), int(since)) for text, since in zip(flat[::2], flat[1::2], strict=True)]
