"""Groups and rooms that everybody can find, on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.messages import Time
from chalicelib.schemas.social import Next, PageCursor
from chalicelib.schemas.system_events import Join, Kind
from chalicelib.schemas.users import Avatar, Count

MAX_PUBLIC_CHATS = 100
"""Maximum number of chats on a page: one round trip with the store."""
Limit = Annotated[int, Meta(ge=1, le=MAX_PUBLIC_CHATS)]


class PublicChat(Struct, kw_only=True):
    """A group or room as everybody sees it."""

    chat: str
    kind: Kind
    name: str
    notice: str
    avatar: Avatar | None
    join: Join
    members: Annotated[Count, Meta(description="Number of members.")]
    made_at: Time


class PublicChatPage(Struct, kw_only=True):
    """A page of search results, or of all rooms."""

    chats: list[PublicChat]
    next: Next


class GroupQuery(Struct):
    """A search for groups and rooms."""

    q: Annotated[
        str,
        Meta(
            description="The beginning of any word of the name and what follows it, or of a room's id: "
            "2-64 characters; 1 is enough if it is not ASCII. Case does not count.",
            examples=["chess"],
        ),
    ]
    limit: Limit = 20
    cursor: PageCursor | None = None


class RoomQuery(Struct):
    """Which page of all rooms."""

    limit: Limit = 50
    cursor: PageCursor | None = None
