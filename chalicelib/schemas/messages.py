"""Messages on the wire, under /v1."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.system_events import Event
from chalicelib.texts import MAX_DECOMPOSED_CHARACTERS, MAX_EMOJI_CHARACTERS

MAX_PAGE = 1000
MAX_ID_CHARACTERS = 64
MAX_TEXT_BYTES = 16 * 1024
MAX_CHAT_CHARACTERS = 2 * MAX_DECOMPOSED_CHARACTERS + 1
"""Of two names of an open server, in whichever form."""

Seq = Annotated[int, Meta(ge=1, description="The message's number in its chat: from 1, without gaps.")]
ChatId = Annotated[
    str,
    Meta(
        max_length=MAX_CHAT_CHARACTERS,
        description="Two handles joined by one `:`, or the id of a group (`g-…`) or room (`r-…`).",
        examples=["alice:bob"],
    ),
]
Position = Annotated[int, Meta(ge=0, le=2**63 - 1)]
MessageId = Annotated[
    str,
    Meta(
        description="The sender's own idempotency id: one line of 1-64 characters, compared as sent; "
        "UUID or ULID."
    ),
]
Time = Annotated[
    str,
    Meta(
        description="RFC 3339, UTC, microseconds.",
        extra_json_schema={"format": "date-time"},
    ),
]
Text = Annotated[
    str,
    Meta(description="Up to 16 KiB of UTF-8, kept as sent, with at least one visible character and no NUL."),
]
RepliedTo = Annotated[
    int, Meta(ge=1, le=2**53 - 1, description="The seq of the message in this chat that this one replies to.")
]
MIN_EXPIRES_IN, MAX_EXPIRES_IN = 5, 365 * 86_400
"""Seconds."""
ExpiresIn = Annotated[
    int,
    Meta(
        ge=MIN_EXPIRES_IN,
        le=MAX_EXPIRES_IN,
        description="Seconds after which a message is deleted by itself: from 5 to a year of 365 days.",
    ),
]
SentKind = Annotated[
    Literal["text"],
    Meta(description="The kind that clients send; only the server writes messages of kind `system`."),
]
CursorText = Annotated[
    str,
    Meta(
        description="A cursor from a page, or a plain seq, which is not checked against the history.",
        examples=["12"],
    ),
]


MAX_DATA_BYTES = 4 * 1024
MAX_DATA_DEPTH = 16
Data = Annotated[
    dict[str, Any],
    Meta(
        description="A JSON object of the application's own, kept as sent: up to "
        f"{MAX_DATA_BYTES // 1024} KiB as JSON without spaces, up to {MAX_DATA_DEPTH} levels, whole "
        "numbers of up to 64 bits."
    ),
]


class ForwardedFrom(Struct, forbid_unknown_fields=True):
    """A message that you may read."""

    chat: ChatId
    seq: Annotated[int, Meta(ge=1, le=2**53 - 1)]


class SendRequest(Struct, forbid_unknown_fields=True):
    """A message to append to a chat: with `text`, or with `forward` in its place."""

    text: Annotated[Text, Meta(description="Required without `forward`.")] = ""
    id: MessageId | None = None
    kind: SentKind = "text"
    reply_to: RepliedTo | None = None
    expires_in: ExpiresIn | None = None
    data: Data | None = None
    forward: Annotated[
        ForwardedFrom | None,
        Meta(description="The message whose text and data to send, also from another chat."),
    ] = None


class EditRequest(Struct, forbid_unknown_fields=True):
    """The new text or data of a message, or both; what is absent stays."""

    text: Text | UnsetType = UNSET
    data: Annotated[Data | UnsetType | None, Meta(description="Null removes it.")] = UNSET


class DeleteQuery(Struct):
    """For whom to delete a message."""

    for_: Annotated[
        Literal["all", "me"],
        Meta(description="`all`: nobody can read it again. `me`: you do not see it any more, others do."),
    ] = field(name="for")


class Deletion(Struct, kw_only=True):
    """When a message was deleted, and by whom."""

    by: Annotated[str | None, Meta(description="The user who deleted it; null if it expired.")]
    at: Time


ChangeNumber = Annotated[
    int,
    Meta(
        ge=0,
        description="The number of a change, which rises within a chat; 0 for a message that never changed.",
    ),
]


class Forwarded(Struct, kw_only=True):
    """The first message of a forwarded one; empty if you may not read it, or it was deleted."""

    chat: str | UnsetType = UNSET
    seq: Seq | UnsetType = UNSET
    sender: str | UnsetType = UNSET


class Replied(Struct, kw_only=True):
    """The message that a reply answers, as it is now."""

    seq: Seq
    sender: str
    text: Annotated[str, Meta(description="The beginning of the text, up to 128 characters.")]
    deleted: Annotated[
        bool | UnsetType, Meta(description="True if it was deleted or has expired; `text` is empty then.")
    ] = UNSET


class ThreadSummary(Struct, kw_only=True):
    """The replies to a message, and the replies to these."""

    replies: Annotated[int, Meta(ge=1, description="Number of replies that are not deleted.")]
    last: Annotated[Seq, Meta(description="The seq of the last one.")]
    last_at: Time


EmojiText = Annotated[
    str,
    Meta(
        max_length=2 * MAX_EMOJI_CHARACTERS,
        description="One emoji, with or without variation selectors.",
        examples=["👍"],
    ),
]


class ReactionCount(Struct, kw_only=True):
    """The reactions of one kind to a message."""

    emoji: Annotated[str, Meta(description="One emoji, fully qualified.", examples=["👍"])]
    count: Annotated[int, Meta(ge=1, description="Number of users, without those whom you block.")]
    me: Annotated[bool, Meta(description="Whether you are one of them.")]


class Message(Struct, kw_only=True):
    """A message of a chat."""

    chat: str
    seq: Seq
    id: MessageId | None
    sender: str
    kind: Annotated[str, Meta(description="`text`, or `system` for an event of a group or room.")]
    text: Annotated[str, Meta(description="For kind `system`: the event in plain English.")]
    event: Annotated[Event | UnsetType, Meta(description="For kind `system`: the event.")] = UNSET
    reply_to: RepliedTo | UnsetType = UNSET
    sent_at: Annotated[Time, Meta(description="Rises within a chat, so it identifies the message.")]
    change: Annotated[ChangeNumber | UnsetType, Meta(description="Of the message's last change.")] = UNSET
    edited_at: Annotated[Time | UnsetType, Meta(description="When its sender last edited it.")] = UNSET
    deleted: Annotated[
        Deletion | UnsetType, Meta(description="Only of a deleted or expired message; `text` is empty then.")
    ] = UNSET
    expires_at: Annotated[Time | UnsetType, Meta(description="When it is deleted by itself.")] = UNSET
    data: Data | UnsetType = UNSET
    mentions: Annotated[
        list[str] | UnsetType, Meta(description="Handles of the members whom the text mentions, at most 50.")
    ] = UNSET
    mentions_all: Annotated[
        bool | UnsetType, Meta(description="True if the text mentions all members of the group or room.")
    ] = UNSET
    forwarded: Annotated[Forwarded | UnsetType, Meta(description="Only of a forwarded message.")] = UNSET
    replied: Annotated[
        Replied | UnsetType,
        Meta(description="Of a reply: the message that it answers, absent if you may not read that one."),
    ] = UNSET
    thread: Annotated[ThreadSummary | UnsetType, Meta(description="Of a message with replies.")] = UNSET
    pinned_at: Annotated[Time | UnsetType, Meta(description="When it was pinned; absent if it is not.")] = (
        UNSET
    )
    reactions: Annotated[
        list[ReactionCount] | UnsetType,
        Meta(description="The kinds of reactions, the first used first; absent without any."),
    ] = UNSET


class SentMessage(Message, kw_only=True):
    """The message that this send stored, or an earlier send with the same id."""

    duplicate: Annotated[
        bool, Meta(description="True when an earlier send with this id had already stored it.")
    ]


class ThreadQuery(Struct):
    """Which replies of a thread: the first ones, without `after`."""

    after: CursorText | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 50


class ThreadPage(Struct, kw_only=True):
    """A message with replies, and some of them in rising seq."""

    root: Annotated[
        Message | None,
        Meta(description="The first message of the thread; null if you may not read it, or it was trimmed."),
    ]
    messages: Annotated[list[Message], Meta(description="Replies, also to replies, that are not deleted.")]
    next: Annotated[str, Meta(description="Pass as `after` for later replies, now or later.")]
    more: Annotated[bool, Meta(description="Whether there are already more.")]


class PageQuery(Struct):
    """Which messages of a chat: the newest, without `after` and `before`."""

    after: CursorText | None = None
    before: CursorText | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE)] = 50


class Page(Struct, kw_only=True):
    """Some messages of a chat, in rising seq."""

    messages: list[Message] | list[Encoded[Message]]
    base: Annotated[
        int,
        Meta(description="The seq before the oldest message that the caller may read; others were trimmed."),
    ]
    head: Annotated[
        int, Meta(description="The seq of the newest message that the caller may read; 0 when there is none.")
    ]
    epoch: Annotated[
        int, Meta(description="The id of the chat's history; if it changes, read the chat from the start.")
    ]
    next: Annotated[str, Meta(description="Pass as `after` for newer messages, now or later.")]
    previous: Annotated[
        str | None, Meta(description="Pass as `before` for older messages; null if there are none.")
    ]
    deleted_users: Annotated[
        list[str], Meta(description='Senders with deleted accounts; show them as "deleted user".')
    ]


class Pong(Struct):
    """The answer to a ping."""

    message: str = field(default="pong")


class Health(Struct):
    """The server's and its store's state."""

    status: str = field(default="ok")
    store: str = field(default="ok")
    jobs: Annotated[
        Literal["down"] | UnsetType,
        Meta(
            description="Only while the process of `make run` for queued work and sweeps is down. Sending and"
            " reading still work, so the status stays 200: alert on this field, and keep the"
            " server in service. Never present on AWS."
        ),
    ] = UNSET
