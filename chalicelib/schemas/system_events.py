"""Events of groups and rooms, in messages of kind `system`, on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Kind = Literal["direct", "group", "room"]
Role = Literal["member", "admin", "owner"]
Join = Annotated[
    Literal["invite", "request", "open"],
    Meta(description="Who can join: only invited users; users whose request is accepted; everybody."),
]
EventType = Literal[
    "created",
    "changed",
    "joined",
    "added",
    "left",
    "removed",
    "banned",
    "role",
    "handed_over",
    "muted",
    "unmuted",
    "account_deleted",
]


class Event(Struct, kw_only=True, omit_defaults=True):
    """An event of a group or room, by the sender of the message; fields that do not apply are absent."""

    type: EventType
    users: Annotated[
        list[str], Meta(description="The users whom it is about, if not the sender; at most 100.")
    ] = []
    role: Annotated[Role | UnsetType, Meta(description="The new role of the users.")] = UNSET
    until: Annotated[
        str | UnsetType,
        Meta(
            description="The users cannot write before this time: RFC 3339.",
            extra_json_schema={"format": "date-time"},
        ),
    ] = UNSET
    name: Annotated[str | UnsetType, Meta(description="The new name.")] = UNSET
    notice: Annotated[str | UnsetType, Meta(description="The new notice.")] = UNSET
    avatar: Annotated[str | UnsetType, Meta(description="The new picture; empty for none.")] = UNSET
    join: Join | UnsetType = UNSET
    history: Annotated[
        bool | UnsetType, Meta(description="Whether members can now read messages from before they joined.")
    ] = UNSET
    expires_in: Annotated[
        int | UnsetType, Meta(description="Seconds after which new messages now expire; 0: never.")
    ] = UNSET
    slow: Annotated[
        int | UnsetType, Meta(description="Seconds between two messages of a member; 0: slow mode is off.")
    ] = UNSET
    keep: Annotated[
        int | UnsetType, Meta(description="How many messages the chat now keeps; 0: no limit.")
    ] = UNSET
    keep_days: Annotated[
        int | UnsetType, Meta(description="For how many days it now keeps messages; 0: no limit.")
    ] = UNSET
    data: Annotated[bool | UnsetType, Meta(description="True if the chat has other data: read it.")] = UNSET
