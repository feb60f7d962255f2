"""Changes of groups and rooms: the snapshot before a change, the change, and its result."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.store.chats.info import Info, Member, Other, Relation, Role
from chalicelib.store.inbox.entries import InboxEntry


class MemberChange(NamedTuple):
    """The new role or relation of a user; to: None: none. muted_until: Of a member, µs since 1970.

    refused: Whether the user refuses an invitation by the change; the store remembers it until they are a
    member. inviter: Handle of the sender of an invitation.
    """

    handle: str
    to: Role | Relation | None
    muted_until: int = 0
    refused: bool = False
    inviter: str = ""


class ChatSnapshot(NamedTuple):
    """A chat at the time of a read; info: None: it does not exist, or is deleted.

    records: The records of the requested handles. raw: Their bytes in the store.
    """

    info: Info | None
    records: dict[str, Member | Other | None]
    raw: dict[str, bytes]


class ChatChange(NamedTuple):
    """The result of a change; seq: Of the newest message then. time: µs since 1970.

    members: Handles of all members; None: there are too many to write each inbox, or the chat is deleted.
    entries: The new inbox entries of the affected users. known: Of a chat that is deleted now, the handles of
    members and others, if any of them has hidden messages.
    """

    seq: int
    time: int
    members: list[str] | None
    entries: list[InboxEntry]
    known: Sequence[str] = ()
