"""Ids of chats: how they are formed, and the kind of chat that each one names."""

from __future__ import annotations

import re
import secrets
import time
import uuid
from typing import NamedTuple

from chalicelib.errors import bad_field, no_chat, not_a_member
from chalicelib.schemas.system_events import Kind
from chalicelib.services.values.names import Names

GROUP_PREFIX, ROOM_PREFIX = "g-", "r-"
GROUP = re.compile(r"g-[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
ROOM = re.compile(r"r-[a-z0-9][a-z0-9_.-]{0,63}", re.ASCII)


class ChatId(NamedTuple):
    """The canonical id of a chat; members: the two users of a direct chat, sorted; None for other chats."""

    text: str
    kind: Kind
    members: tuple[str, str] | None = None

    def other(self, handle: str) -> str:
        """Return the other member of a direct chat; the same handle for other chats, and one with oneself."""
        first, second = self.members or (handle, handle)
        return second if first == handle else first


class ChatIds:
    """Reads ids of chats; names: The rules for names of this server."""

    def __init__(self, names: Names) -> None:
        self._names = names

    def parse(self, chat: str, field: str = "chat") -> ChatId:
        """Return the chat of an id in any case, and of a direct chat's names in any order.

        Raises BadRequest naming the field; ChatNotFound for an id that no group or room can have.
        """
        if ":" in chat or not is_group(folded := chat.casefold()):
            canonical, members = self._names.direct_chat(chat, field)
            return ChatId(canonical, "direct", members)
        pattern = GROUP if folded.startswith(GROUP_PREFIX) else ROOM
        if not pattern.fullmatch(folded):
            raise no_chat(chat)
        return ChatId(folded, kind_of(folded))

    def own(self, handle: str, chat: str, field: str = "chat") -> ChatId:
        """Return the chat of an id that a user sent; the user is one of the two members of a direct chat.

        handle: Handle of the user.
        field: Name of the field that has the id.
        The store checks whether the user may read a group or room.
        Raises BadRequest, ChatNotFound, NotAMember.
        """
        found = self.parse(chat, field)
        if found.members is not None and handle not in found.members:
            raise not_a_member(found.text)
        return found

    def group(self, chat: str) -> str:
        """Return the canonical id of a group or room; raises BadRequest for a direct chat, ChatNotFound."""
        found = self.parse(chat)
        if found.members is not None:
            raise bad_field("chat", "this is a direct chat; only groups and rooms have members to change")
        return found.text


def canonical(chat: str) -> ChatId:
    """Return the chat of a canonical id, which is not checked."""
    first, _, second = chat.partition(":")
    return ChatId(chat, kind_of(chat), None if is_group(chat) else (first, second))


def is_group(chat: str) -> bool:
    """Return whether a canonical id is a group's or a room's."""
    return ":" not in chat and chat.startswith((GROUP_PREFIX, ROOM_PREFIX))


def kind_of(chat: str) -> Kind:
    """Return the kind of chat that a canonical id names."""
    if not is_group(chat):
        return "direct"
    return "group" if chat.startswith(GROUP_PREFIX) else "room"


def new_group_id() -> str:
    """Return a new id for a group: a UUID of version 7 (RFC 9562, 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    number = milliseconds << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return f"{GROUP_PREFIX}{uuid.UUID(int=number)}"


def group_id(given: str, field: str) -> str:
    """Return the id that a client chose for a new group, a UUID; raises BadRequest naming the field."""
    chat = GROUP_PREFIX + given.casefold().removeprefix(GROUP_PREFIX)
    if not GROUP.fullmatch(chat):
        raise bad_field(field, "the id of a group is a UUID, such as 0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10")
    return chat


def room_id(given: str, field: str) -> str:
    """Return the id that a client chose for a new room; raises BadRequest naming the field."""
    chat = ROOM_PREFIX + given.casefold()
    if not ROOM.fullmatch(chat):
        raise bad_field(field, "the id of a room is 1-64 of a-z 0-9 _ . - and begins with a letter or digit")
    return chat
