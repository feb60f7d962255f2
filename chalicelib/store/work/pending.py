"""What is owed: work that other slots wait for, kept in the slot of the truth it follows from."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.store import keys
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

CLEAR_PENDING_WORK = Script("work/clear_pending_work")


class PendingItem(NamedTuple):
    """Owed work: `<kind>:<handle>` and what else the kind needs; since: µs since 1970."""

    text: str
    since: int


class PendingWork:
    """The outbox of the users. Its key, one a partition:

    `{u<NNN>}:owed`: HASH, no expiry: item -> version, the time in µs at which it was owed. The script that
        changes the truth puts it there; whoever has done the work clears it, if the version is the same.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def version(self, handle: str, item: str) -> int | None:
        """Return since when an item is owed, µs since 1970; None: it is not."""
        key = keys.pending(handle)
        held: bytes | None = self._store.run(Query("HGET", (key,), (item,)))
        return None if held is None else int(held)

    def clear(self, handle: str, item: str, version: int) -> bool:
        """Take an item off, unless it was owed anew since the version; returns whether it is off."""
        key = keys.pending(handle)
        return bool(self._store.run(Query(CLEAR_PENDING_WORK, (key,), (item, version))))

    def everything(self) -> list[PendingItem]:
        """Return all that is owed to all users."""
        queries = [Query("HGETALL", (key,), read=_items) for key in keys.pending_by_partition()]
        return [item for items in self._store.run_all(queries) for item in items]


def _items(flat: list[bytes]) -> list[PendingItem]:
    return [PendingItem(text.decode(), int(since)) for text, since in zip(flat[::2], flat[1::2], strict=True)]
