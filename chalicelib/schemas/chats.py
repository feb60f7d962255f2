"""Chats on the wire: making and changing them, their members, and who else stands to them."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from chalicelib.schemas.inbox import ChatRow
from chalicelib.schemas.messages import MAX_PAGE, Time
from chalicelib.schemas.social import Next, PageCursor, Person
from chalicelib.schemas.system_events import Join, Kind, Role
from chalicelib.schemas.users import Avatar

MAX_NOTICE_BYTES = 2 * 1024

ChatName = Annotated[
    str,
    Meta(
        description="One line of 1-64 characters in NFC, one of which can be seen.",
        examples=["Mad tea party"],
    ),
]
Notice = Annotated[
    str,
    Meta(description="What members should know: up to 2 KiB of UTF-8, with line breaks (LF)."),
]
History = Annotated[bool, Meta(description="Whether members read what was written before they joined.")]
Handle = Annotated[str, Meta(description="A handle, in any case.", examples=["bob"])]


class NewChat(Struct, kw_only=True, forbid_unknown_fields=True):
    """A chat to make: `with` is for a direct chat, everything else for a group or room."""

    kind: Kind
    with_: Annotated[Handle | UnsetType, Meta(description="The other of a direct chat.")] = field(
        name="with", default=UNSET
    )
    id: Annotated[
        str | UnsetType,
        Meta(
            description="Of a group: a UUID, which makes the call idempotent. Of a room, which needs one: "
            "1-64 of a-z 0-9 _ . -, beginning with a letter or digit."
        ),
    ] = UNSET
    name: ChatName | UnsetType = UNSET
    notice: Notice | UnsetType | None = UNSET
    avatar: Avatar | UnsetType | None = UNSET
    join: Join | UnsetType = UNSET
    history: History | UnsetType = UNSET
    members: Annotated[
        list[Handle] | UnsetType, Meta(description="Who is in it from the start, beside the caller.")
    ] = UNSET


class Chat(ChatRow, kw_only=True):
    """A chat as one of its readers sees it, and what a group or room is; null for a direct chat."""

    notice: Notice | None
    join: Join | None
    history: History | None
    maker: Annotated[str | None, Meta(description="Who made it.")]
    made_at: Time | None
    invited: Annotated[
        list[str] | UnsetType,
        Meta(
            description="Of a chat just made: the users in `members` who were invited instead of added. "
            "Absent when there are none."
        ),
    ] = UNSET


class ChatChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """What to change: an absent field stays as it is, null clears it."""

    name: ChatName | UnsetType = UNSET
    notice: Notice | UnsetType | None = UNSET
    avatar: Avatar | UnsetType | None = UNSET
    join: Join | UnsetType = UNSET
    history: History | UnsetType = UNSET


class ListedMember(Person, kw_only=True):
    """A member; the name is empty for one without an account."""

    role: Role
    joined_at: Time
    muted_until: Annotated[Time | None, Meta(description="Till when they cannot write.")]


class MemberPage(Struct, kw_only=True):
    """A page of the members, by handle."""

    members: list[ListedMember]
    next: Next


class MemberChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """What to change of a member; one of the two."""

    role: Role | UnsetType = UNSET
    muted_until: Annotated[
        Time | UnsetType | None,
        Meta(description="Till when they cannot write, before the year 2200; null or a past time: they can."),
    ] = UNSET


class ListedOther(Person, kw_only=True):
    """Who is invited, waits to be let in, or is banned; the name is empty for one without an account."""

    since: Time


class OtherPage(Struct, kw_only=True):
    """A page of them, by handle."""

    users: list[ListedOther]
    next: Next


class PeopleQuery(Struct):
    """Which people of a chat."""

    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 100


class Joined(Struct, kw_only=True):
    """What came of joining."""

    chat: str
    state: Annotated[
        Literal["member", "requested"],
        Meta(description="`requested`: an admin or owner has yet to let the caller in."),
    ]


class Added(Struct, kw_only=True):
    """Whether a user was added or invited."""

    chat: str
    handle: str
    state: Annotated[
        Literal["member", "invited"],
        Meta(description="`invited`: they become a member when they join."),
    ]


class NewOwner(Struct, forbid_unknown_fields=True):
    """Whom to hand a chat over to."""

    handle: Handle
