"""What the server sends: frames, and the answers of REST."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct, field

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Message(Struct, tag_field="type", tag="message", kw_only=True, frozen=True):
    """A message of a chat.

    seq: its number in the chat, from 1. id: the sender's own. kind: `text`, or `system` for what happened in
    a group or room, with an event. reply_to: the seq of what it replies to. sent_at rises within a chat.
    """

    chat: str
    seq: int
    sender: str
    kind: str
    text: str
    sent_at: datetime
    id: str | None = None
    event: dict[str, Any] | None = None
    reply_to: int | None = None

    @property
    def time(self) -> int:
        """When it was sent, µs since 1970."""
        return (self.sent_at - EPOCH) // MICROSECOND


class Ack(Message, tag_field="type", tag="ack", kw_only=True, frozen=True):
    """The message that a send made; duplicate: an earlier send with the same id had made it."""

    duplicate: bool
    ref: str | None = None

    def message(self) -> Message:
        """Return the message alone."""
        return Message(**{name: getattr(self, name) for name in Message.__struct_fields__})


class Preview(Struct, kw_only=True, frozen=True):
    """The newest message of a chat, cut short."""

    seq: int
    sender: str
    kind: str
    text: str
    sent_at: datetime
    cut: bool = False


class ChatRow(Struct, kw_only=True, frozen=True):
    """A chat of the inbox, as the API documents it.

    seq, cursor: of the newest message that the user may read; read, received: how far the user has come.
    """

    chat: str
    kind: str
    state: str
    epoch: int
    seq: int
    cursor: str
    read: int
    received: int
    unread: int
    role: str | None = None
    muted_until: datetime | None = None
    name: str | None = None
    avatar: str | None = None
    members: int | None = None
    change: str | None = None
    marked_unread: bool = False
    pinned: bool = False
    muted: bool = False
    archived: bool = False
    active_at: datetime | None = None
    last: Preview | None = None


class ChangedHistory(Struct, kw_only=True, frozen=True):
    """A chat of which the server has lost the message that was to be checked. seq: of its newest one now."""

    chat: str
    epoch: int
    seq: int
    cursor: str


class Sync(Struct, tag_field="type", tag="sync", kw_only=True, frozen=True):
    """Chats that have moved. version: for the next hello. reset: drop the chats that you hold.

    history_changed, unreadable: of the chats that were to be checked, those that have lost what the client
    holds, and those that there are not or that the user may not read.
    """

    chats: list[ChatRow]
    version: str
    more: bool
    reset: bool
    ref: str | None = None
    history_changed: list[ChangedHistory] = []
    unreadable: list[str] = []


class Ready(Struct, tag_field="type", tag="ready", kw_only=True, frozen=True):
    """The end of the answer to hello."""

    user: str
    connection: str
    ref: str | None = None


class Page(Struct, tag_field="type", tag="page", kw_only=True, frozen=True):
    """Messages of a chat in rising seq.

    head: the seq of the newest one. epoch: names this history. next, previous: cursors for newer, older ones.
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
    """How far a member of a chat has come; what has not risen is None."""

    chat: str
    user: str
    read: int | None = None
    received: int | None = None


class Typing(Struct, tag_field="type", tag="typing", kw_only=True, frozen=True):
    """Whether a member of a chat is typing; forget it after some seconds."""

    chat: str
    user: str
    on: bool


class Presence(Struct, kw_only=True, frozen=True):
    """Whether a user is there; last_seen_at is None for never, or not for you."""

    user: str
    online: bool
    last_seen_at: datetime | None = None


class PresenceFrame(Struct, tag_field="type", tag="presence", kw_only=True, frozen=True):
    """Who is there of those watched."""

    users: list[Presence]
    ref: str | None = None


class RoomNotice(Struct, tag_field="type", tag="room", kw_only=True, frozen=True):
    """The answer to joining, leaving or asking, or what another user did in a room that the client is in.

    chat: the room as a chat. event: `joined`, `left`, `clients` answer; `entered`, `gone` tell of a user.
    clients: who is in the room now, with the answers.
    """

    room: str
    chat: str
    event: str
    user: str | None = None
    notice: str | None = None
    clients: list[str] | None = None
    ref: str | None = None


class Signal(Struct, tag_field="type", tag="signal", kw_only=True, frozen=True):
    """A signal of another user's call; from_: who sent it, as the server knows them."""

    from_: str = field(name="from")
    call: str
    kind: str
    to: str | None = None
    chat: str | None = None
    data: Any = None


class Pong(Struct, tag_field="type", tag="pong", kw_only=True, frozen=True):
    """The answer to ping."""

    time: datetime
    ref: str | None = None


class Failed(Struct, tag_field="type", tag="error", kw_only=True, frozen=True):
    """A frame that could not be done. ref: what the call that sent it returned; code is stable."""

    status: int
    code: str
    title: str
    detail: str
    ref: str | None = None
    retry_after: float | None = None


Incoming = (
    Message
    | Ack
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
    """Read a frame; None: one of a type, or of a form, that this client does not know."""
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


class Ticket(Struct, kw_only=True):
    """Opens one socket, once, within 30 seconds."""

    url: str
    ticket: str


class Account(Struct, kw_only=True):
    """A user who is logged in; keep the token, it is not shown again."""

    handle: str
    token: str
    expires_at: datetime


class Entry(Struct, kw_only=True):
    """The answer to registering and logging in."""

    class User(Struct):
        """As far as the client reads it."""

        handle: str

    user: User
    token: str
    expires_at: datetime


class RestInbox(Struct, kw_only=True):
    """A page of the inbox over REST."""

    chats: list[ChatRow]


class RestSync(Struct, kw_only=True):
    """The answer of a sync over REST; see Sync."""

    chats: list[ChatRow]
    next: str
    more: bool
    reset: bool
    history_changed: list[ChangedHistory] = []
    unreadable: list[str] = []

    def frame(self) -> Sync:
        """Return it as a frame says the same."""
        return Sync(
            chats=self.chats,
            version=self.next,
            more=self.more,
            reset=self.reset,
            history_changed=self.history_changed,
            unreadable=self.unreadable,
        )
