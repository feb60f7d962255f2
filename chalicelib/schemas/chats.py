"""Chats on the wire: making and changing them, members, invitations, requests and bans."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from chalicelib.schemas.inbox import ChatRow
from chalicelib.schemas.messages import MAX_PAGE, Data, ExpiresIn, Time
from chalicelib.schemas.social import Next, PageCursor, Person
from chalicelib.schemas.system_events import Join, Kind, Role
from chalicelib.schemas.users import Avatar

MAX_NOTICE_BYTES = 2 * 1024

ChatName = Annotated[
    str,
    Meta(
        description="One line of 1-64 characters in NFC, at least one of them visible.",
        examples=["Mad tea party"],
    ),
]
Notice = Annotated[
    str,
    Meta(description="A text for the members: up to 2 KiB of UTF-8, with line breaks (LF)."),
]
History = Annotated[bool, Meta(description="Whether members can read messages from before they joined.")]
Keep = Annotated[
    int,
    Meta(
        ge=0,
        le=1_000_000,
        description="How many messages the chat keeps: the newest ones; 0: as many as the server keeps.",
    ),
]
KeepDays = Annotated[
    int,
    Meta(
        ge=0,
        le=36_500,
        description="For how many days the chat keeps messages; 0: for as long as the server keeps them.",
    ),
]
MAX_SLOW_SECONDS = 6 * 3600
Slow = Annotated[
    int,
    Meta(
        ge=0,
        le=MAX_SLOW_SECONDS,
        description="Slow mode: seconds between two messages of a member, not of admins and owners; 0: off.",
    ),
]
Handle = Annotated[str, Meta(description="A handle, in any case.", examples=["bob"])]


class NewChat(Struct, kw_only=True, forbid_unknown_fields=True):
    """A chat to make: `with` is for a direct chat, the other fields for a group or room."""

    kind: Kind
    with_: Annotated[Handle | UnsetType, Meta(description="The other user of a direct chat.")] = field(
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
    expires_in: ExpiresIn | UnsetType | None = UNSET
    members: Annotated[
        list[Handle] | UnsetType, Meta(description="Members from the start, beside the caller.")
    ] = UNSET


class Chat(ChatRow, kw_only=True):
    """A chat as the caller sees it; the fields of groups and rooms are null for a direct chat."""

    notice: Notice | None
    join: Join | None
    history: History | None
    slow: Slow | None
    keep: Keep | None
    keep_days: KeepDays | None
    maker: Annotated[str | None, Meta(description="The user who made it.")]
    made_at: Time | None
    data: Data | UnsetType = UNSET
    invited: Annotated[
        list[str] | UnsetType,
        Meta(
            description="Of a chat just made: the users in `members` who were invited instead of added. "
            "Absent when there are none."
        ),
    ] = UNSET


class ChatChanges(Struct, kw_only=True, forbid_unknown_fields=True):
    """Fields to change: an absent field stays as it is, null clears a field."""

    name: ChatName | UnsetType = UNSET
    notice: Notice | UnsetType | None = UNSET
    avatar: Avatar | UnsetType | None = UNSET
    join: Join | UnsetType = UNSET
    history: History | UnsetType = UNSET
    expires_in: Annotated[
        ExpiresIn | UnsetType | None,
        Meta(description="Of later messages; a direct chat has this field alone. null: they never expire."),
    ] = UNSET
    slow: Slow | UnsetType = UNSET
    keep: Annotated[Keep | UnsetType, Meta(description="Only an owner changes it.")] = UNSET
    keep_days: Annotated[KeepDays | UnsetType, Meta(description="Only an owner changes it.")] = UNSET
    data: Data | UnsetType | None = UNSET


class ListedMember(Person, kw_only=True):
    """A member; the name is empty without an account."""

    role: Role
    joined_at: Time
    muted_until: Annotated[Time | None, Meta(description="The member cannot write before this time.")]


class MemberPage(Struct, kw_only=True):
    """A page of the members, by handle."""

    members: list[ListedMember]
    next: Next


class MemberChange(Struct, kw_only=True, forbid_unknown_fields=True):
    """A change of a member: exactly one of the two fields."""

    role: Role | UnsetType = UNSET
    muted_until: Annotated[
        Time | UnsetType | None,
        Meta(description="The member cannot write before this time (before 2200); null ends that."),
    ] = UNSET


class ListedOther(Person, kw_only=True):
    """A user who is invited, asks to join, or is banned; the name is empty without an account."""

    since: Time


class OtherPage(Struct, kw_only=True):
    """A page of users, by handle."""

    users: list[ListedOther]
    next: Next


class PeopleQuery(Struct):
    """Which page of the list."""

    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 100


class Joined(Struct, kw_only=True):
    """The result of joining."""

    chat: str
    state: Annotated[
        Literal["member", "requested"],
        Meta(description="`requested`: an admin or owner must accept the request."),
    ]


class Added(Struct, kw_only=True):
    """Whether a user was added or invited."""

    chat: str
    handle: str
    state: Annotated[
        Literal["member", "invited"],
        Meta(description="`invited`: the user becomes a member by joining."),
    ]


class NewOwner(Struct, forbid_unknown_fields=True):
    """The next owner of a chat."""

    handle: Handle
