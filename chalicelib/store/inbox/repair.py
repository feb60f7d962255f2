"""The repair of a user's index that knows of writes which a chat has lost."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.inbox.entries import InboxEntry, InboxState
from chalicelib.store.inbox.index import bool_if_kept
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

READ_INDEXED_CHATS = Script("inbox/read_indexed_chats")
REPAIR_INBOX_ENTRY = Script("inbox/repair_inbox_entry")

LAST_VERSION = 2**53 - 1


class KnownChat(NamedTuple):
    """A chat as the index has it: version of its last change, stamp and state.

    time: Of its newest message; 0: none, or the chat is not IN. All times in µs.
    """

    chat: str
    version: int
    stamp: int
    state: InboxState
    time: int


class KnownChats(NamedTuple):
    """Recently changed chats as the index has them, and the store's time, µs."""

    time: int
    chats: list[KnownChat]


class InboxRepair:
    """Repairs an index that is ahead of a chat, because the chat's node lost its last writes.

    It has no keys of its own; see Inboxes.
    """

    @staticmethod
    def first(handle: str, after: int, limit: int) -> Query[KnownChats]:
        """Return the query for the first chats that changed after a version, µs."""
        return _looking(handle, after, LAST_VERSION, limit, "first")

    @staticmethod
    def last(handle: str, after: int, upto: int, limit: int) -> Query[KnownChats]:
        """Return the query for the last chats that changed after one version and up to another, µs."""
        return _looking(handle, after, upto, limit, "last")

    @staticmethod
    def repair(known: KnownChat, entry: InboxEntry) -> Query[bool | None]:
        """Return the query that replaces the index's entry of a chat.

        False: the chat has changed since. None: the store takes no writes.
        """
        handle = entry.handle
        named = (keys.inbox_entries(handle), keys.inbox(handle), keys.active(handle))
        others = keys.large(handle), keys.invitations(handle)
        wanted = (entry.stamp, int(entry.state), entry.active)
        args = (known.chat, known.version, *wanted)
        return Query(REPAIR_INBOX_ENTRY, named + others, args, bool_if_kept, if_refused=None)


def _looking(handle: str, after: int, upto: int, limit: int, side: str) -> Query[KnownChats]:
    named = (keys.inbox_entries(handle), keys.inbox(handle), keys.active(handle))
    return Query(READ_INDEXED_CHATS, named, (after, upto, limit, side), _looked)


def _looked(reply: Any) -> KnownChats:
    time, *chats = reply
    return KnownChats(time, [_known(*one) for one in chats])


def _known(chat: bytes, version: int, stamp: int, state: int, time: int) -> KnownChat:
    return KnownChat(chat.decode(), version, stamp, InboxState(state), time)
