"""The list of all rooms."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from chalicelib.store import keys
from chalicelib.store.redis.query import Batch, Query, each
from chalicelib.store.redis.sorted_sets import ScoredMember, page


class RoomList:
    """All rooms. Their key:

    `{c000}:rooms`: ZSET, no expiry: room -> when it was made, µs. It may have rooms that are gone, or lack
        new ones for some seconds: the room says what is true.
    """

    def page(self, below: ScoredMember | None, limit: int) -> Query[list[ScoredMember]]:
        """Return the query for a page of the rooms, the newest first."""
        return page(keys.rooms(), below, limit)

    def add(self, rooms: Iterable[ScoredMember]) -> Batch[list[object]]:
        """Return the batch that lists rooms, each with the time at which it was made, µs since 1970."""
        return each([Query("ZADD", (keys.rooms(),), (str(made), room)) for made, room in rooms])

    def remove(self, rooms: Collection[str]) -> Batch[list[object]]:
        """Return the batch that removes rooms from the list."""
        return each([Query("ZREM", (keys.rooms(),), tuple(rooms))] if rooms else [])
