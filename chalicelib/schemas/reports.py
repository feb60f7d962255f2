"""Reports of messages on the wire."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.schemas.messages import Message, Seq, Time
from chalicelib.schemas.social import Next, PageCursor

MAX_NOTE_CHARACTERS = 500
MAX_REPORTS_PAGE = 50

Reason = Annotated[
    Literal["spam", "harassment", "hate", "violence", "sexual", "illegal", "other"],
    Meta(description="Why the message is reported."),
]
Note = Annotated[
    str, Meta(description="What the reporter adds: up to 500 characters, with line breaks; may be empty.")
]


class ReportRequest(Struct, forbid_unknown_fields=True):
    """A report of a message; a second one of the same user replaces the first."""

    reason: Reason = "other"
    note: Note = ""


class Report(Struct, kw_only=True):
    """A report of a message."""

    seq: Seq
    reporter: str
    reason: Reason
    note: Note
    reported_at: Time
    message: Annotated[
        Message | UnsetType,
        Meta(description="The message as it is now; absent if the caller cannot read it."),
    ] = UNSET


class ReportPage(Struct):
    """Some reports of a chat, newest first."""

    reports: list[Report]
    next: Next


class ReportsQuery(Struct):
    """Which page of the reports."""

    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_REPORTS_PAGE)] = 20
