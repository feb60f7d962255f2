"""Groups on a store, changed by calls that skip the services' rules, and their keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from chalicelib.store import keys
from chalicelib.store.chats.changes import ChatChange, ChatSnapshot, MemberChange
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.feed import ChangeFeed
from chalicelib.store.chats.info import Info, Member, Other, Relation, Role
from chalicelib.store.inbox.entries import InboxEntry
from chalicelib.store.inbox.read_state import RECORD
from chalicelib.store.messages.content import Content, packed
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.sorted_sets import ScoredMember
from tests.store.account_records import fields_of
from tests.store.log_records import RawClient, elements_of

GROUP = "g-0198"
TEAM = Info("Team", "be kind", "cat.png", "request", maker="ann")
NEWS = packed(Content("ann", "", kind="system", event={"type": "changed"}))


class Groups:
    """Chats that are viewed and changed in one call; large: members above which one is large."""

    def __init__(self, store: Store, most: int = 1000, large: int = 100, keep: int = 0) -> None:
        self.store = store
        self.chats = Chats(most, large, keep)

    def make(self, *members: str, chat: str = GROUP, info: Info = TEAM) -> ChatChange:
        """Make a group of ann, its owner, and of members."""
        people = [("ann", Role.OWNER), *((handle, Role.MEMBER) for handle in members)]
        made = self.store.run(self.chats.create(chat, info, people, NEWS))
        assert made is not None
        return made

    def view(self, *handles: str, chat: str = GROUP) -> ChatSnapshot:
        """Look at a group."""
        return self.store.run(self.chats.snapshot(chat, *handles))

    def change(
        self,
        to: Mapping[str, Role | Relation | None] = {},
        chat: str = GROUP,
        body: bytes | None = NEWS,
        info: Mapping[str, str | bool] | None = None,
    ) -> ChatChange:
        """Change members, relations and fields of a group."""
        becomes = [MemberChange(handle, one) for handle, one in to.items()]
        made = self.store.run(
            self.chats.change(chat, self.view(*to, chat=chat), becomes, body=body, info=info)
        )
        assert made is not None
        return made

    def delete(self, chat: str = GROUP) -> ChatChange:
        """Delete a group."""
        made = self.store.run(self.chats.delete(chat, self.view("ann", chat=chat)))
        assert made is not None
        return made

    def record(self, handle: str, chat: str = GROUP) -> Member | Other | None:
        """Return a user's record in a group."""
        return self.view(handle, chat=chat).records[handle]

    def member(self, handle: str) -> Member:
        """Return a member's record."""
        record = self.record(handle)
        assert isinstance(record, Member)
        return record

    def other(self, handle: str) -> Other:
        """Return the record of a user who is not a member."""
        record = self.record(handle)
        assert isinstance(record, Other)
        return record

    def inbox_entry(self, handle: str, chat: str = GROUP) -> InboxEntry:
        """Return a user's inbox entry of a chat."""
        return self.store.run(self.chats.entry(chat, handle))

    def changes(self, since: int = 0, limit: int = 1000, subject: str = "") -> Any:
        """Return the changes as pairs, or None if some were forgotten."""
        found = self.store.run(ChangeFeed.after(GROUP, "ann", ScoredMember(since, subject), limit)).rows
        return found and [(one.subject, one.number) for one in found]


def pending(raw: RawClient, chat: str = GROUP) -> dict[str, int]:
    """Return the pending outbox items of a chat's partition."""
    return {item: int(since) for item, since in fields_of(raw, keys.outbox(chat)).items()}


def write_reader(raw: RawClient, handle: str, *values: int, chat: str = GROUP) -> None:
    """Write a user's read state: read, received, cleared, stamp, flags."""
    raw.hset(keys.read_states(chat), handle, RECORD.pack(*values))


def reader(raw: RawClient, handle: str, chat: str = GROUP) -> tuple[int, ...]:
    """Return a user's read state: read, received, cleared, stamp, flags."""
    held: Any = raw.hget(keys.read_states(chat), handle)
    return RECORD.unpack(held)


def uncounted(raw: RawClient, chat: str = GROUP) -> list[int]:
    """Return the seqs that do not count as unread."""
    found: Any = raw.zrange(keys.uncounted(chat), 0, -1)
    return [int(seq) for seq in found]


def bodies(raw: RawClient, chat: str = GROUP) -> list[Any]:
    """Return the msgpack arrays of a log."""
    return [msgspec.msgpack.decode(element[9:]) for element in elements_of(raw, chat)[1:]]


def keys_of(chat: str = GROUP) -> list[str]:
    """Return every key that a script on a chat may touch."""
    people = [
        keys.chat(chat),
        keys.members(chat),
        keys.others(chat),
        keys.read_states(chat),
        keys.chat_connections(chat),
    ]
    return [*people, keys.log(chat), keys.changes(chat), keys.uncounted(chat), keys.outbox(chat)]
