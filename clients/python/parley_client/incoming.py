"""Frames that the server sends."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from parley_client.models import ChangedHistory, ChatRow, Message, Presence, Unread


class Ack(Message, tag_field="type", tag="ack", kw_only=True, frozen=True):
    """The stored message of a send; duplicate: Whether an earlier send with the same id stored it."""

    duplicate: bool
    ref: str | None = None

    def message(self) -> Message:
        """Return the message without the fields of the response."""
        return Message(**{name: getattr(self, name) for name in Message.__struct_fields__})


class ChangedMessage(Struct, tag_field="type", tag="change", kw_only=True, frozen=True):
    """A message has changed.

    change: Number of the change.
    message: As it is now; None if it is hidden.
    partial: Whether the message lacks what differs between readers, so that it has to be read.
    hidden: Whether the user has deleted the message for themselves.
    """

    chat: str
    seq: int
    change: int
    message: Message | None = None
    partial: bool = False
    hidden: bool = False
    ref: str | None = None


class MovedRow(ChatRow, tag_field="type", tag="chat", kw_only=True, frozen=True):
    """The row of a chat that something other than a message has changed."""

    def row(self) -> ChatRow:
        """Return the row alone."""
        return ChatRow(**{name: getattr(self, name) for name in ChatRow.__struct_fields__})


class Ok(Struct, tag_field="type", tag="ok", kw_only=True, frozen=True):
    """The response to a frame that succeeded and has no other one."""

    ref: str | None = None


class Sync(Struct, tag_field="type", tag="sync", kw_only=True, frozen=True):
    """Chats that have changed.

    version: The token for the next hello.
    reset: Whether to drop all chats that the client holds.
    history_changed: Checked chats that have lost the message that the client holds.
    unreadable: Checked chats that do not exist, or that the user may not read.
    """

    chats: list[ChatRow]
    version: str
    more: bool
    reset: bool
    ref: str | None = None
    history_changed: list[ChangedHistory] = []
    unreadable: list[str] = []


class Ready(Struct, tag_field="type", tag="ready", kw_only=True, frozen=True):
    """The end of the response to hello; unread: In the 100 last active chats."""

    user: str
    connection: str
    unread: Unread | None = None
    ref: str | None = None


class Page(Struct, tag_field="type", tag="page", kw_only=True, frozen=True):
    """Messages of a chat in rising seq.

    head: Seq of the newest message.
    epoch: Identifies this history of the chat.
    next, previous: Cursors for newer and older messages.
    """

    messages: list[Message]
    head: int
    epoch: int
    next: str
    previous: str | None = None
    deleted_users: list[str] = []
    chat: str = ""
    ref: str | None = None


class Receipt(Struct, tag_field="type", tag="receipt", kw_only=True, frozen=True):
    """How far a member has read and received a chat; None for a value that has not changed."""

    chat: str
    user: str
    read: int | None = None
    received: int | None = None


class Typing(Struct, tag_field="type", tag="typing", kw_only=True, frozen=True):
    """Whether a member of a chat is typing; expires after some seconds."""

    chat: str
    user: str
    on: bool


class PresenceFrame(Struct, tag_field="type", tag="presence", kw_only=True, frozen=True):
    """The presence of watched users."""

    users: list[Presence]
    ref: str | None = None


class RoomNotice(Struct, tag_field="type", tag="room", kw_only=True, frozen=True):
    """The response to joining, leaving or listing a room, or the event of another user in it.

    chat: The room's chat id.
    event: `joined`, `left` and `clients` are responses; `entered` and `gone` are events.
    clients: The users who are in the room now; in responses.
    """

    room: str
    chat: str
    event: str
    user: str | None = None
    notice: str | None = None
    clients: list[str] | None = None
    ref: str | None = None


class Signal(Struct, tag_field="type", tag="signal", kw_only=True, frozen=True):
    """A signal of another user's call; from_: The sender's handle, set by the server."""

    from_: str = field(name="from")
    call: str
    kind: str
    to: str | None = None
    chat: str | None = None
    data: Any = None


class Pong(Struct, tag_field="type", tag="pong", kw_only=True, frozen=True):
    """The response to ping."""

    time: datetime
    ref: str | None = None


class Failed(Struct, tag_field="type", tag="error", kw_only=True, frozen=True):
    """A refused frame.

    ref: What the call that sent the frame returned.
    code: A stable code from the API's list.
    """

    status: int
    code: str
    title: str
    detail: str
    ref: str | None = None
    retry_after: float | None = None


Incoming = (
    Message
    | Ack
    | ChangedMessage
    | MovedRow
    | Ok
    | Sync
    | Ready
    | Page
    | Receipt
    | Typing
    | PresenceFrame
    | RoomNotice
    | Signal
    | Pong
    | Failed
)
_DECODER: msgspec.json.Decoder[Incoming] = msgspec.json.Decoder(Incoming)


def decode(text: str) -> Incoming | None:
    """Read a frame; None for an unknown type or form."""
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None
