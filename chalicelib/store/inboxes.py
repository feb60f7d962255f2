"""The index in a user's slot: which chats a user has, and when they moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.client import Query, Store
from chalicelib.store.pages import Mark, marks_of, number_of
from chalicelib.store.presence import Target, targets_of
from chalicelib.store.scripts import Script

DELIVER = Script("deliver", "index", "targets")
PLACE_CHAT = Script("place_chat", "index", "targets")
READ_ACTIVE = Script("read_active", "below")
READ_MOVED = Script("read_moved")
REGISTER_LINEAGE = Script("register_lineage")

MOST_LINEAGES = 128


class PlaceState(IntEnum):
    """Whether a chat is in a user's inbox; LARGE: it is, and its messages are not written there."""

    OUT = 0
    IN = 1
    LARGE = 2


class Place(NamedTuple):
    """What the index should say of a chat.

    stamp: of (chat, user), µs. active: of its last activity, µs; 0: none.
    """

    handle: str
    stamp: int
    state: PlaceState
    active: int


class Placed(NamedTuple):
    """A user whose index was told of a place; live_account: whether the account is not deleted.

    targets: their ready connections, if the chat is large: they are to be attached to it.
    """

    live_account: bool
    targets: list[Target]


class Active(NamedTuple):
    """A page of chats by their last activity (µs), and all chats that are large."""

    rows: list[Mark]
    large: list[str]


class Row(NamedTuple):
    """A chat, and the version at which it moved last, µs."""

    chat: str
    version: int


class Moved(NamedTuple):
    """The chats that moved after a version, in that order, and all that are large; version: the newest."""

    version: int
    rows: list[Row]
    large: list[str]


class Inboxes:
    """The chats of each user. Their keys, in the partition of the user, `{u<NNN>}` (see store/keys.py):

    `{u<NNN>}:chats:<handle>`: HASH, no expiry. `version` -> the newest version, µs. `<chat>` -> stamp (8
        bytes, µs), state (1 byte, PlaceState), floor (8 bytes, µs: when out, messages up to this time do not
        bring the chat back); a direct chat that was never placed has none, and counts as IN.
    `{u<NNN>}:inbox:<handle>`: ZSET, no expiry: chat -> version at which it moved, those that are out as well.
    `{u<NNN>}:active:<handle>`: ZSET, no expiry: chat that is IN -> time of its last activity, µs.
    `{u<NNN>}:large:<handle>`: SET, no expiry: chats that are LARGE.
    `{u<NNN>}:lineages:<handle>`: ZSET, no expiry, MOST_LINEAGES: lineage of sync tokens -> highest version
        that it was told.
    A version is the time in µs, and always above the user's last one.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def delivering(self, chat: str, time: int, handles: Iterable[str]) -> list[Query[list[Target]]]:
        """Return the queries that note a message in the inboxes of users; again, or late, is no change.

        time: the message's, µs. They reply the ready connections of all of them who are not deleted.
        """
        args = (chat, time, int(":" not in chat))
        groups = keys.by_partition(handles)
        return [Query(DELIVER, _delivery_keys(group), args, _targets) for group in groups]

    def placing(self, chat: str, places: Iterable[Place]) -> list[Query[Placed]]:
        """Return the queries that make the index say what it should, unless it has a newer stamp."""
        return [_placing(chat, place) for place in places]

    def active(self, handle: str, below: Mark | None, since: int, limit: int) -> Query[Active]:
        """Return the query for a page by last activity, from the highest down.

        below: (time, chat) of the one before; None: from the top. since: only what was active later, µs.
        """
        after: tuple[int | str, str] = ("", "") if below is None else below
        named = (keys.active(handle), keys.large(handle))
        return Query(READ_ACTIVE, named, (*after, since, limit), _active)

    def moved(self, handle: str, lineage: str | None, since: int, limit: int) -> Query[Moved | None]:
        """Return the query for what moved after a version; None: what the lineage was told is gone.

        lineage: None for a client that was told nothing.
        """
        named = (keys.chats(handle), keys.inbox(handle), keys.large(handle), keys.lineages(handle))
        return Query(READ_MOVED, named, (lineage or "", since, limit), _moved)

    def registering(self, handle: str, lineage: str, version: int) -> Query[bool]:
        """Return the query that notes what a lineage is told; False: there is no such version any more."""
        named = (keys.chats(handle), keys.lineages(handle))
        return Query(REGISTER_LINEAGE, named, (lineage, version, MOST_LINEAGES), bool)

    def large(self, handle: str) -> Query[list[str]]:
        """Return the query for a user's chats that are too large to write inboxes."""
        return Query("SMEMBERS", (keys.large(handle),), read=_texts)

    def chats_of(self, handle: str) -> Query[list[str]]:
        """Return the query for all chats that a user has or had, in the order in which they moved."""
        return Query("ZRANGE", (keys.inbox(handle),), (0, -1), _texts)

    def forget(self, handle: str) -> None:
        """Remove the index of a user."""
        kinds = (keys.chats, keys.inbox, keys.active, keys.large, keys.lineages)
        self._store.fetch_all(Query("DEL", (key(handle),)) for key in kinds)


def _index_keys(handle: str) -> tuple[str, ...]:
    return keys.user(handle), keys.chats(handle), keys.inbox(handle), keys.active(handle)


def _delivery_keys(handles: Iterable[str]) -> tuple[str, ...]:
    return tuple(key for handle in handles for key in (*_index_keys(handle), keys.connections(handle)))


def _placing(chat: str, place: Place) -> Query[Placed]:
    named = (*_index_keys(place.handle), keys.large(place.handle), keys.connections(place.handle))
    return Query(PLACE_CHAT, named, (chat, place.stamp, int(place.state), place.active), _placed)


def _placed(reply: list[Any]) -> Placed:
    live, *targets = reply
    return Placed(bool(live), targets_of(*targets))


def _targets(reply: list[bytes]) -> list[Target]:
    return targets_of(*reply)


def _active(reply: list[Any]) -> Active:
    return Active(marks_of(reply[0]), _texts(reply[1]))


def _moved(reply: list[Any]) -> Moved | None:
    if not reply:
        return None
    version, flat, large = reply
    rows = [Row(chat.decode(), number_of(moved)) for chat, moved in zip(flat[::2], flat[1::2], strict=True)]
    return Moved(int(version), rows, _texts(large))


def _texts(reply: Sequence[bytes]) -> list[str]:
    return [text.decode() for text in reply]
