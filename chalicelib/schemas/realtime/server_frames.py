"""Frames that the server sends; `type` names a frame."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from chalicelib.errors import FieldError
from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.history_check import HistoryChanged, Unreadable
from chalicelib.schemas.inbox import ChatRow, MessageCursor, UnreadTotal
from chalicelib.schemas.messages import ChangeNumber, Message, Page, SentMessage, Seq, Time
from chalicelib.schemas.realtime.fields import Call, ReadSeq, Ref, RoomEvent, SignalData, SignalKind

HeldCursor = Annotated[
    MessageCursor,
    Meta(
        description="The message's cursor: for `check`, `pull`, `read`, and to compare with a row's `cursor`."
    ),
]
Epoch = Annotated[int, Meta(description="The id of the chat's history, as in its row.")]
Partial = Annotated[
    bool,
    Meta(
        description="True if the message has something that differs between readers and is left out here, "
        "such as `forwarded`, `replied`, `thread` or `reactions`: read the message."
    ),
]
SenderName = Annotated[
    str,
    Meta(description="The name in the sender's profile, or the sender's handle if there is none."),
]


class Ack(SentMessage, tag_field="type", tag="ack", kw_only=True, omit_defaults=True):
    """The stored message of a `send`, or of an earlier send with the same id."""

    cursor: HeldCursor
    epoch: Epoch
    sender_name: SenderName
    partial: Partial = False

    ref: Ref | None = None


class MessageFrame(Message, tag_field="type", tag="message", kw_only=True, omit_defaults=True):
    """A new message, for every connection of every member except the one that sent it."""

    cursor: HeldCursor
    epoch: Epoch
    sender_name: SenderName
    partial: Partial = False


class ChatFrame(ChatRow, tag_field="type", tag="chat", kw_only=True):
    """A chat that has changed: its row, as the next `sync` has it."""


class ToClient(Struct, tag_field="type", kw_only=True, omit_defaults=True):
    """A frame that the server sends; fields that are null are absent."""


class Reply(ToClient, kw_only=True):
    """A frame that may reply to a frame of the client."""

    ref: Ref | None = None


class SyncFrame(Reply, tag="sync", kw_only=True):
    """Chats that have changed; the first frames after `hello`."""

    chats: list[Encoded[ChatRow]]
    version: Annotated[
        str, Meta(description="For the next `hello`, once the client has stored all of these chats.")
    ]
    more: Annotated[
        bool, Meta(description="Whether there is more: it follows, or comes after another `hello`.")
    ]
    reset: Annotated[
        bool, Meta(description="Drop all chats that you hold: this is the first page of all of them.")
    ]
    history_changed: HistoryChanged = []
    unreadable: Unreadable = []


class Ready(Reply, tag="ready", kw_only=True):
    """The end of the reply to `hello`: from now on the server pushes frames."""

    user: str
    connection: Annotated[str, Meta(description="The connection's id.")]
    unread: UnreadTotal


class PageFrame(Page, tag_field="type", tag="page", kw_only=True, omit_defaults=True):
    """Some messages of a chat, in rising seq."""

    chat: str
    ref: Ref | None = None


class ReactionChange(Struct, kw_only=True):
    """A reaction that was added or removed."""

    emoji: str
    user: str
    on: Annotated[bool, Meta(description="Whether it was added.")]


class ChangeFrame(Reply, tag="change", kw_only=True):
    """A message has changed: the reply to a frame that changed it, and for all other connections."""

    chat: str
    seq: Seq
    change: ChangeNumber
    cursor: Annotated[
        str, Meta(description="The change's cursor: pass it as `since` to read later changes of the chat.")
    ]
    message: Annotated[
        Message | None, Meta(description="The message as it is now; absent from a hidden one.")
    ] = None
    hidden: Annotated[
        bool, Meta(description="True if you have hidden the message on another device: drop it.")
    ] = False
    partial: Partial = False
    reaction: Annotated[ReactionChange | None, Meta(description="The reaction that is the change.")] = None


class ReceiptFrame(ToClient, tag="receipt", kw_only=True):
    """How far a member has read or received: the one of the two that has changed."""

    chat: str
    user: str
    read: ReadSeq | None = None
    received: ReadSeq | None = None


class TypingFrame(ToClient, tag="typing", kw_only=True):
    """Whether a member is typing; assume no after some seconds."""

    chat: str
    user: str
    on: bool


class Presence(Struct, kw_only=True):
    """Whether a user is online."""

    user: str
    online: Annotated[bool, Meta(description="Whether the user has an open connection.")]
    last_seen_at: Annotated[
        Time | None,
        Meta(description="When the last connection ended; null for never, or if you may not know."),
    ]


class PresenceFrame(Reply, tag="presence", kw_only=True):
    """Which users are online: the reply to `watch`, and each change after it."""

    users: list[Presence]


class RoomFrame(Reply, tag="room", kw_only=True):
    """The reply to a `room.…` frame, and what others do in a room that the client has joined."""

    room: str
    chat: Annotated[str, Meta(description="The id of the room as a chat.", examples=["r-lobby"])]
    event: Annotated[
        RoomEvent,
        Meta(
            description="`joined`, `left`, `clients` are replies; `entered`, `gone` are about another user."
        ),
    ]
    user: Annotated[str | None, Meta(description="The user who has entered or gone.")] = None
    notice: Annotated[
        str | None,
        Meta(description="The event in plain English.", examples=["a new user has joined the room"]),
    ] = None
    clients: Annotated[
        list[str] | None, Meta(description="Only in replies: users who are in the room now, each once.")
    ] = None


class SignalFrame(ToClient, tag="signal", kw_only=True):
    """A signal from another user."""

    from_: Annotated[str, Meta(description="The user who sent it, as the server knows it.")] = field(
        name="from"
    )
    call: Call
    kind: SignalKind
    to: str | None = None
    chat: str | None = None
    data: SignalData = None


class Ok(Reply, tag="ok", kw_only=True):
    """The reply to a frame with a `ref` that succeeded and has no other reply."""


class Pong(Reply, tag="pong", kw_only=True):
    """The reply to `ping`."""

    time: Time


class ErrorFrame(Reply, tag="error", kw_only=True):
    """A frame failed: the problem that the HTTP API would have answered. The connection stays open."""

    status: Annotated[int, Meta(examples=[404])]
    code: Annotated[str, Meta(description="Stable, for programs.", examples=["chat_not_found"])]
    title: str
    detail: Annotated[str, Meta(description="What is wrong and what to do.")]
    errors: Annotated[list[FieldError], Meta(description="The fields at fault.")] = []
    retry_after: Annotated[int | None, Meta(description="Seconds to wait before trying again.")] = None


ServerFrame = (
    Ack
    | MessageFrame
    | ChatFrame
    | SyncFrame
    | Ready
    | PageFrame
    | ChangeFrame
    | ReceiptFrame
    | TypingFrame
    | PresenceFrame
    | RoomFrame
    | SignalFrame
    | Ok
    | Pong
    | ErrorFrame
)
