"""Changes of groups and rooms: what they start from, and what comes of them."""

from __future__ import annotations

from typing import NamedTuple

from chalicelib.store.chats.info import Info, Member, Other, Relation, Role
from chalicelib.store.inbox.entries import InboxEntry


class MemberChange(NamedTuple):
    """What becomes of somebody; to: None for a stranger. muted_until: of a member, µs since 1970.

    refused: whether they refuse an invitation by it; that they once did stays until they are a member.
    inviter: Handle of the sender, if they are invited.
    """

    handle: str
    to: Role | Relation | None
    muted_until: int = 0
    refused: bool = False
    inviter: str = ""


class ChatSnapshot(NamedTuple):
    """A chat as it was when it was looked at; info: None if there is none of that id, or none any more.

    records: how those who were asked for stand to it. raw: the same as the store has it.
    """

    info: Info | None
    records: dict[str, Member | Other | None]
    raw: dict[str, bytes]


class ChatChange(NamedTuple):
    """A change that was made; seq: of the newest message then. time: µs since 1970.

    members: all of them, None: there are too many to tell each, or the chat was deleted. entries: the
    inbox entries of the users whom the change concerns, as they must be now.
    """

    seq: int
    time: int
    members: list[str] | None
    entries: list[InboxEntry]
