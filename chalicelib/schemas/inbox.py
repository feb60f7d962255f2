"""The inbox on the wire: rows of chats, the sync, read marks and flags."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.messages import MAX_PAGE, CursorText, Time
from chalicelib.schemas.social import Next, PageCursor
from chalicelib.schemas.system_events import Event, Kind, Role

MAX_ROWS = 100
"""Chats on a page: what their chats' slots are asked for in one trip."""
PREVIEW_CHARACTERS = 256

ChatState = Annotated[
    Literal["member", "invited", "requested", "banned", "left", "none"],
    Meta(
        description="How the caller stands to the chat. `left`: it is not, or no more, among the caller's "
        "chats; what was written up to `seq` may still be read. `none`: the caller was never in it."
    ),
]
MessageCursor = Annotated[
    str,
    Meta(
        description="The cursor of a message, `seq.time.epoch`, or `0` for none.",
        examples=["12.1764500000000000.1764400000000000"],
    ),
]
Mark = Annotated[int, Meta(ge=0, description="A seq; 0 for none. It only rises.")]


class Preview(Struct, kw_only=True):
    """The newest message that the caller may read, cut short."""

    seq: int
    sender: str
    kind: str
    text: Annotated[
        str,
        Meta(
            description=f"The beginning of the text, up to {PREVIEW_CHARACTERS} characters: it ends between "
            "graphemes, so that no emoji is cut in two."
        ),
    ]
    cut: Annotated[bool, Meta(description="Whether the message holds more than is shown here.")]
    event: Annotated[Event | UnsetType, Meta(description="Of the kind `system`: what happened.")] = UNSET
    sent_at: Time


class ChatRow(Struct, kw_only=True):
    """A chat as one of its readers sees it; the groups' fields are null for a chat of two."""

    chat: str
    kind: Kind
    state: ChatState
    role: Role | None
    muted_until: Annotated[Time | None, Meta(description="Till when the caller cannot write.")]
    name: str | None
    avatar: str | None
    members: Annotated[int | None, Meta(description="How many there are.")]
    epoch: Annotated[int, Meta(description="Names this history of the chat; 0 while it has none.")]
    seq: Annotated[int, Meta(description="Of the newest message that the caller may read; 0 for none.")]
    cursor: Annotated[
        MessageCursor,
        Meta(description="Of that message. A client that has come to this very cursor has them all."),
    ]
    change: Annotated[
        MessageCursor | None,
        Meta(description="Of the newest `system` message. Who has come to it knows of all changes."),
    ]
    read: Annotated[Mark, Meta(description="How far the caller has read, on any device.")]
    received: Annotated[Mark, Meta(description="How far the caller has received, on any device.")]
    unread: Annotated[int, Meta(ge=0, description="Messages after `read` that count.")]
    marked_unread: Annotated[bool, Meta(description="Marked as unread by the caller, whatever `unread` is.")]
    pinned: bool
    muted: Annotated[bool, Meta(description="Whether the caller wants no notice of it.")]
    archived: bool
    active_at: Annotated[Time | None, Meta(description="When it last moved in the caller's inbox.")]
    last: Preview | None


class InboxQuery(Struct):
    """Which chats of the inbox."""

    since: Annotated[Time | None, Meta(description="Only chats that were active later.")] = None
    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = 50


class Inbox(Struct, kw_only=True):
    """A page of the inbox: the chat that was active last comes first."""

    chats: list[Encoded[ChatRow]]
    next: Next


class SyncQuery(Struct):
    """Since when."""

    since: Annotated[
        str | None, Meta(description="The `next` of the sync before; absent for a client that holds nothing.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = 50


class Sync(Struct, kw_only=True):
    """The chats that have moved."""

    chats: list[Encoded[ChatRow]]
    next: Annotated[str, Meta(description="Pass as `since`: now if `more`, else whenever you like.")]
    more: Annotated[bool, Meta(description="Whether there is more by now.")]
    reset: Annotated[
        bool, Meta(description="Drop every chat that you hold: this is the first page of them all.")
    ]


class ReadUpTo(Struct, kw_only=True, forbid_unknown_fields=True):
    """Up to which message; one of the two."""

    seq: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = None
    cursor: Annotated[
        CursorText | None, Meta(description="Checked: 409 when it is of a history that is gone.")
    ] = None


class Receipt(Struct, kw_only=True):
    """How far a member has come."""

    handle: str
    read: Mark
    received: Mark


class ReceiptsQuery(Struct):
    """Whose receipts."""

    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 100


class Receipts(Struct, kw_only=True):
    """A page of receipts, by handle."""

    receipts: list[Receipt]
    next: Next


class Flags(Struct, kw_only=True, forbid_unknown_fields=True):
    """What to set (true) or take away (false); what is absent stays as it is."""

    unread: Annotated[bool | UnsetType, Meta(description="A mark of its own; reading takes it away.")] = UNSET
    pinned: bool | UnsetType = UNSET
    muted: bool | UnsetType = UNSET
    archived: bool | UnsetType = UNSET


class ChangesQuery(Struct):
    """Which changes."""

    since: Annotated[
        str | None, Meta(description="The `next` of the page before, or the `change` of a row.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 100


class Changed(Struct, kw_only=True):
    """Something of a chat that is not as it was; the other fields are of a member."""

    subject: Annotated[
        Literal["info", "member"],
        Meta(description="`info`: read the chat again. `member`: `user` has come, gone, or changed."),
    ]
    user: str | None = None
    role: Annotated[Role | None, Meta(description="Their role now; null: they are no member.")] = None
    muted_until: Time | None = None
    changed_at: Time


class Changes(Struct, kw_only=True):
    """What has changed in a group or room: each subject once, as it is now, what changed last comes last."""

    changes: list[Changed]
    next: Annotated[str, Meta(description="Pass as `since` for what changes later.")]
    more: Annotated[bool, Meta(description="Whether there is more by now.")]
    reset: Annotated[
        bool, Meta(description="Some of it is not known any more: read the chat and its members anew.")
    ]
