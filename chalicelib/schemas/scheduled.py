"""Scheduled messages on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.schemas.messages import (
    ChatId,
    Data,
    ExpiresIn,
    ForwardedFrom,
    RepliedTo,
    SendRequest,
    Text,
    Time,
)
from chalicelib.schemas.social import Next, PageCursor

MAX_SCHEDULED_PAGE = 100

SendAt = Annotated[
    Time,
    Meta(description="When to send it: from 5 seconds to 366 days ahead. It is sent within a minute after."),
]


class ScheduleRequest(SendRequest, kw_only=True, forbid_unknown_fields=True):
    """A message to send later. With an `id`, a repeated request schedules it once."""

    send_at: SendAt


class ScheduledChanges(Struct, forbid_unknown_fields=True):
    """New fields of a scheduled message; absent ones stay."""

    send_at: SendAt | UnsetType = UNSET
    text: Text | UnsetType = UNSET
    reply_to: RepliedTo | UnsetType | None = UNSET
    expires_in: ExpiresIn | UnsetType | None = UNSET
    data: Data | UnsetType | None = UNSET


class SendFailure(Struct, kw_only=True):
    """Why a scheduled message was not sent."""

    code: Annotated[str, Meta(description="The code of the problem, as a send would have answered it.")]
    detail: str
    at: Time


class Scheduled(Struct, kw_only=True):
    """A message that is sent later, or could not be sent."""

    id: Annotated[str, Meta(description="Also the `id` of the message when it is sent.")]
    chat: str
    send_at: Time
    made_at: Time
    text: str
    reply_to: RepliedTo | UnsetType = UNSET
    expires_in: ExpiresIn | UnsetType = UNSET
    data: Data | UnsetType = UNSET
    forward: Annotated[
        ForwardedFrom | UnsetType, Meta(description="The message that is read, and forwarded, at that time.")
    ] = UNSET
    failed: Annotated[
        SendFailure | UnsetType,
        Meta(
            description="Only if it was not sent. It stays for a week: delete it, or choose a new `send_at`."
        ),
    ] = UNSET


class ScheduledQuery(Struct):
    """Which of the caller's scheduled messages: those of a chat, or all."""

    chat: ChatId | None = None
    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_SCHEDULED_PAGE)] = 50


class ScheduledPage(Struct):
    """Some of the caller's scheduled messages, the earliest `send_at` first."""

    scheduled: list[Scheduled]
    next: Next
