"""Groups and rooms that anybody may find, on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.messages import Time
from chalicelib.schemas.social import Next, PageCursor
from chalicelib.schemas.system_events import Join, Kind
from chalicelib.schemas.users import Avatar, Count

MAX_PUBLIC_CHATS = 100
"""Chats on a page: what their slots are asked for in one trip."""
Limit = Annotated[int, Meta(ge=1, le=MAX_PUBLIC_CHATS)]


class PublicChat(Struct, kw_only=True):
    """A group or room, as everybody may see it."""

    chat: str
    kind: Kind
    name: str
    notice: str
    avatar: Avatar | None
    join: Join
    members: Annotated[Count, Meta(description="How many there are.")]
    made_at: Time


class PublicChatPage(Struct, kw_only=True):
    """Some of the groups and rooms found, or of all rooms."""

    chats: list[PublicChat]
    next: Next


class GroupQuery(Struct):
    """Which groups and rooms to find."""

    q: Annotated[
        str,
        Meta(
            description="How the name, from any of its words on, or a room's id begins: at least "
            "2 characters, or 1 beyond ASCII; at most 64. Case does not count.",
            examples=["chess"],
        ),
    ]
    limit: Limit = 20
    cursor: PageCursor | None = None


class RoomQuery(Struct):
    """Which page of the rooms."""

    limit: Limit = 50
    cursor: PageCursor | None = None
