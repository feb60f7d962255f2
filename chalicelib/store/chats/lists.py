"""Reads of groups and rooms: their members, their changes, and a user's inbox entry of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from chalicelib.store import keys
from chalicelib.store.chats.info import Member, Other, Relation, member_of, other_of
from chalicelib.store.inbox.entries import InboxEntry, InboxState
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

READ_OTHERS = Script("chats/read_others")
READ_INBOX_STATE = Script("chats/read_inbox_state")

T = TypeVar("T")


class ChatLists:
    """Reads the keys of Chats."""

    def members(self, chat: str) -> Query[list[Member]]:
        """Return the query for the members, in no order."""
        return Query("HGETALL", (keys.members(chat),), read=_each(member_of))

    def others(self, chat: str, relation: Relation) -> Query[list[Other]]:
        """Return the query for the users with one relation to a chat, in no order."""
        return Query(READ_OTHERS, (keys.others(chat),), (int(relation),), _each(other_of))

    def entry(self, chat: str, handle: str) -> Query[InboxEntry]:
        """Return the query for a user's inbox entry of a chat, also a direct one; stamp 0: none."""
        of = (keys.chat, keys.members, keys.others, keys.read_states, keys.log)

        def read(reply: list[Any]) -> InboxEntry:
            return inbox_entry(handle, *reply)

        args = (handle, int(":" in chat))
        return Query(READ_INBOX_STATE, tuple(name(chat) for name in of), args, read)


def inbox_entry(handle: str, state: int, stamp: int, active: int, inviter: bytes) -> InboxEntry:
    """Return the inbox entry in a reply of read_inbox_state; times in µs."""
    return InboxEntry(handle, stamp, InboxState(state), active, inviter.decode())


def _each(read: Callable[[str, bytes], T]) -> Callable[[Sequence[Any]], list[T]]:
    def read_all(flat: Sequence[Any]) -> list[T]:
        return [read(handle.decode(), record) for handle, record in zip(flat[::2], flat[1::2], strict=True)]

    return read_all
