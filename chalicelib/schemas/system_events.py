"""What messages of kind `system` say has happened, on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Kind = Literal["direct", "group", "room"]
Role = Literal["member", "admin", "owner"]
Join = Annotated[
    Literal["invite", "request", "open"],
    Meta(description="Who may become a member: who is invited; who asks and is let in; anybody."),
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
    """What happened in a group or room, done by the sender of the message; what does not apply is absent."""

    type: EventType
    users: Annotated[
        list[str], Meta(description="Whom it is about, if others than the sender; 100 at the most.")
    ] = []
    role: Annotated[Role | UnsetType, Meta(description="The role that the users have from now on.")] = UNSET
    until: Annotated[
        str | UnsetType,
        Meta(description="Till when they cannot write: RFC 3339.", extra_json_schema={"format": "date-time"}),
    ] = UNSET
    name: Annotated[str | UnsetType, Meta(description="The name from now on.")] = UNSET
    notice: Annotated[str | UnsetType, Meta(description="The notice from now on.")] = UNSET
    avatar: Annotated[str | UnsetType, Meta(description="The picture from now on; empty for none.")] = UNSET
    join: Join | UnsetType = UNSET
    history: Annotated[
        bool | UnsetType, Meta(description="Whether members read from now on what was before them.")
    ] = UNSET
