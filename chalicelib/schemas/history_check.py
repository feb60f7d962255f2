"""What a client holds of its chats, to be checked against the server's logs; and what has been lost."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from chalicelib.schemas.inbox import MAX_ROWS, MessageCursor, Sync
from chalicelib.schemas.messages import ChatId

MAX_CHECKED = 100
"""Chats that one call checks: the store is asked for so many in one round trip."""


class HeldCursor(Struct, kw_only=True, forbid_unknown_fields=True):
    """The newest message of a chat that a client holds."""

    chat: ChatId
    cursor: Annotated[
        str,
        Meta(
            description="`seq.time.epoch`: the message's `seq`, its `sent_at` in µs since 1970, and the "
            "`epoch` of the chat's row or page. A plain seq is refused, as there is nothing to check it by.",
            examples=["12.1764500000000000.1764400000000000"],
            extra_json_schema={"pattern": r"^[0-9]{1,15}\.[0-9]{1,16}\.[0-9]{1,16}$"},
        ),
    ]


Check = Annotated[
    list[HeldCursor],
    Meta(
        max_length=MAX_CHECKED,
        description="The newest message that you hold of each chat of which you have received or sent one "
        "since your last sync: the store may have lost it.",
    ),
]


class ChangedHistory(Struct, kw_only=True):
    """A chat that does not have the message that a client holds, as `history_changed` would say of a page.

    If `seq` is below that of the message that you checked, and you hold the message of this very `cursor`,
    drop those after it; otherwise drop all that you hold of the chat, and read it from the start.
    """

    chat: str
    epoch: Annotated[int, Meta(description="Names the history that the chat has now; 0 while it has none.")]
    seq: Annotated[int, Meta(description="Of the newest message that the caller may read; 0 for none.")]
    cursor: Annotated[MessageCursor, Meta(description="Of that message.")]


HistoryChanged = Annotated[
    list[ChangedHistory],
    Meta(description="Checked chats that do not have the message that you hold: the store has lost it."),
]
Unreadable = Annotated[
    list[str],
    Meta(
        description="Checked chats that there are not, or that the caller may not read: drop what you hold."
    ),
]


class SyncRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Since when, and what to check."""

    since: Annotated[
        str | None, Meta(description="The `next` of the sync before; absent for a client that holds nothing.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = 50
    check: Check = []


class SyncWithHistoryCheck(Sync, kw_only=True):
    """The chats that have moved, and those of which messages were lost."""

    history_changed: HistoryChanged
    unreadable: Unreadable
