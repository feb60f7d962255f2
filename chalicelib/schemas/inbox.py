"""The inbox on the wire: rows of chats, the sync, read states and flags."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.messages import MAX_PAGE, CursorText, ExpiresIn, Time
from chalicelib.schemas.social import Next, PageCursor
from chalicelib.schemas.system_events import Event, Kind, Role

MAX_ROWS = 100
"""Maximum number of chats on a page: one round trip with the store."""
PREVIEW_CHARACTERS = 256

ChatState = Annotated[
    Literal["member", "invited", "requested", "banned", "left", "none"],
    Meta(
        description="The caller's relation to the chat. `left`: the caller has left it, and may still read "
        "messages up to `seq`. `none`: the caller was never in it."
    ),
]
MessageCursor = Annotated[
    str,
    Meta(
        description="The cursor of a message, `seq.time.epoch`, or `0` for none.",
        examples=["12.1764500000000000.1764400000000000"],
    ),
]
ReadSeq = Annotated[int, Meta(ge=0, description="A seq, or 0 for none. It never goes back.")]


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
    deleted: Annotated[
        bool | UnsetType, Meta(description="True if the message was deleted or has expired.")
    ] = UNSET
    sent_at: Time


class ChatUser(Struct, kw_only=True):
    """One of the two users of a direct chat."""

    handle: str
    name: Annotated[str, Meta(description="Empty for none, and for a deleted user.")]
    avatar: str | None


class ChatRow(Struct, kw_only=True):
    """A chat as the caller sees it; the fields of groups and rooms are null for a direct chat."""

    chat: str
    kind: Kind
    state: ChatState
    role: Role | None
    muted_until: Annotated[Time | None, Meta(description="The caller cannot write before this time.")]
    name: str | None
    avatar: str | None
    members: Annotated[int | None, Meta(description="Number of members.")]
    requests: Annotated[
        int | None,
        Meta(description="Number of users who ask to join; null for all but admins and owners."),
    ]
    users: Annotated[
        list[ChatUser] | None,
        Meta(description="The two users of a direct chat, by handle; one if it is a chat with oneself."),
    ]
    expires_in: Annotated[
        ExpiresIn | UnsetType,
        Meta(description="Set for all new messages of the chat; absent: they never expire."),
    ] = UNSET
    epoch: Annotated[int, Meta(description="The id of the chat's history; 0 while it is empty.")]
    base: Annotated[
        int, Meta(description="The seq before the oldest message that the caller may read; 0 for none.")
    ]
    seq: Annotated[
        int, Meta(description="The seq of the newest message that the caller may read; 0 for none.")
    ]
    cursor: Annotated[
        MessageCursor,
        Meta(description="The cursor of that message. A client that holds it has all messages."),
    ]
    change: Annotated[
        MessageCursor | None,
        Meta(
            description="The cursor of the newest change: of the chat, its members or a message. A client "
            "that holds it knows all changes; otherwise it reads those since the one it holds."
        ),
    ]
    read: Annotated[ReadSeq, Meta(description="The last message that the caller has read, on any device.")]
    received: Annotated[
        ReadSeq, Meta(description="The last message that the caller has received, on any device.")
    ]
    unread: Annotated[int, Meta(ge=0, description="Number of unread messages.")]
    mentions: Annotated[
        int,
        Meta(
            ge=0, description="Number of unread messages that mention the caller, or all, or answer theirs."
        ),
    ]
    marked_unread: Annotated[
        bool, Meta(description="Whether the caller has marked the chat as unread, whatever `unread` is.")
    ]
    pinned: bool
    muted: Annotated[bool, Meta(description="Whether the caller wants no notifications of it.")]
    archived: bool
    active_at: Annotated[
        Time | None, Meta(description="The time of its last activity in the caller's inbox.")
    ]
    last: Preview | None


class InboxQuery(Struct):
    """Which chats of the inbox."""

    since: Annotated[Time | None, Meta(description="Only chats active after this time.")] = None
    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = 50


class Inbox(Struct, kw_only=True):
    """A page of the inbox, the most recently active chat first."""

    chats: list[Encoded[ChatRow]]
    next: Next


class SyncQuery(Struct):
    """Where the last sync ended."""

    since: Annotated[
        str | None, Meta(description="The `next` of the last sync; absent for a client that holds nothing.")
    ] = None
    limit: Annotated[int, Meta(ge=1, le=MAX_ROWS)] = 50


class Sync(Struct, kw_only=True):
    """The chats that have changed since the last sync."""

    chats: list[Encoded[ChatRow]]
    next: Annotated[
        str, Meta(description="Pass as `since` of the next sync: at once if `more`, otherwise later.")
    ]
    more: Annotated[bool, Meta(description="Whether there is already more.")]
    reset: Annotated[
        bool, Meta(description="Drop all chats that you hold: this is the first page of all of them.")
    ]


class UnreadQuery(Struct):
    """Which chats to count."""

    cursor: PageCursor | None = None


class UnreadTotal(Struct, kw_only=True):
    """The unread messages of all chats, or of the last active ones."""

    unread: Annotated[
        int, Meta(ge=0, description="Unread messages in chats that are neither muted nor archived.")
    ]
    chats: Annotated[
        int,
        Meta(ge=0, description="Number of these chats that have unread messages or are marked as unread."),
    ]
    quiet: Annotated[int, Meta(ge=0, description="Unread messages in muted and archived chats.")]
    next: Annotated[
        str | None,
        Meta(
            description="Null if all chats are counted. Otherwise pass as `cursor` of `GET /v1/unread` to "
            "count the following ones, and add them."
        ),
    ]


class ReadChats(Struct, kw_only=True):
    """The chats that are marked as read now, and were unread."""

    chats: list[str]
    next: Annotated[
        str | None,
        Meta(description="Null at the end. Otherwise pass as `cursor` to mark the following chats as read."),
    ]


class ReadUpTo(Struct, kw_only=True, forbid_unknown_fields=True):
    """The last message that counts: one of the two fields. To read all messages, send neither."""

    seq: Annotated[int, Meta(ge=1, le=2**53 - 1)] | None = None
    cursor: Annotated[
        CursorText | None, Meta(description="Checked: 409 if the chat's history has changed since.")
    ] = None


class Receipt(Struct, kw_only=True):
    """How far a member has read and received."""

    handle: str
    read: ReadSeq
    received: ReadSeq


class ReceiptsQuery(Struct):
    """Which page of the receipts."""

    cursor: PageCursor | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 100


class Receipts(Struct, kw_only=True):
    """A page of receipts, by handle."""

    receipts: list[Receipt]
    next: Next


class Flags(Struct, kw_only=True, forbid_unknown_fields=True):
    """Flags to set (true) or clear (false); an absent one stays as it is."""

    unread: Annotated[bool | UnsetType, Meta(description="Marked as unread; reading the chat clears it.")] = (
        UNSET
    )
    pinned: bool | UnsetType = UNSET
    muted: bool | UnsetType = UNSET
    archived: bool | UnsetType = UNSET
