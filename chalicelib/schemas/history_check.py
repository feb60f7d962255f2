"""Newest messages that a client holds, to compare with the server's logs, and which chats lost some."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.inbox import MAX_ROWS, MessageCursor, Sync
from chalicelib.schemas.messages import ChatId

MAX_CHECKED = 100
"""Maximum number of chats that one call checks: one round trip with the store."""


class HeldCursor(Struct, kw_only=True, forbid_unknown_fields=True):
    """The newest message of a chat that a client holds."""

    chat: ChatId
    cursor: Annotated[
        str,
        Meta(
            description="`seq.time.epoch`: the message's `seq`, its `sent_at` in µs since 1970, and the "
            "`epoch` of the chat's row or page. A plain seq is refused: it cannot be checked.",
            examples=["12.1764500000000000.1764400000000000"],
            extra_json_schema={"pattern": r"^[0-9]{1,15}\.[0-9]{1,16}\.[0-9]{1,16}$"},
        ),
    ]


Check = Annotated[
    list[HeldCursor],
    Meta(
        max_length=MAX_CHECKED,
        description="The newest message that you hold of each chat in which you have received or sent one "
        "since your last sync: the store may have lost it.",
    ),
]


class ChangedHistory(Struct, kw_only=True):
    """A chat that no longer has the message that the client holds.

    If `seq` is below that of the message that you checked, and you hold the message of exactly this
    `cursor`, drop the messages after it. Otherwise drop all messages of the chat and read it from the start.
    """

    chat: str
    epoch: Annotated[int, Meta(description="The id of the chat's current history; 0 while it is empty.")]
    seq: Annotated[
        int, Meta(description="The seq of the newest message that the caller may read; 0 for none.")
    ]
    cursor: Annotated[MessageCursor, Meta(description="The cursor of that message.")]


HistoryChanged = Annotated[
    list[ChangedHistory],
    Meta(description="Checked chats whose message that you hold is lost."),
]
Unreadable = Annotated[
    list[str],
    Meta(
        description="Checked chats that do not exist, or that the caller may not read: drop their messages."
    ),
]


class SyncRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Where the last sync ended, and which messages to check."""

    since: Annotated[
        str | None, Meta(description="The `next` of the last sync; absent for a client that holds nothing.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = 50
    check: Check = []


class SyncWithHistoryCheck(Sync, kw_only=True):
    """The chats that have changed, and those that lost messages."""

    history_changed: HistoryChanged
    unreadable: Unreadable
