"""Messages, rows of the inbox and presence, as frames and REST responses hold them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Deletion(Struct, kw_only=True, frozen=True):
    """When a message was deleted, and by whom; by: None if it expired."""

    at: datetime
    by: str | None = None


class Forwarded(Struct, kw_only=True, frozen=True):
    """The first message of a forwarded one; None: the user may not read it, or it was deleted."""

    sender: str | None = None
    chat: str | None = None
    seq: int | None = None


class Replied(Struct, kw_only=True, frozen=True):
    """The message that a reply answers, as it is now, its text shortened."""

    seq: int
    sender: str
    text: str
    deleted: bool = False


class ReactionCount(Struct, kw_only=True, frozen=True):
    """The reactions of one kind to a message; me: Whether the user's is one of them."""

    emoji: str
    count: int
    me: bool = False


class ThreadSummary(Struct, kw_only=True, frozen=True):
    """The replies to a message, and to these: their number, and seq and time of the last one."""

    replies: int
    last: int
    last_at: datetime


class Message(Struct, tag_field="type", tag="message", kw_only=True, frozen=True):
    """A message of a chat.

    seq: Its number in the chat, from 1.
    id: The id that the sender chose.
    kind: `text`, or `system` for an event in a group or room.
    reply_to: Seq of the message that it replies to.
    sent_at: Rises within a chat.
    change: Number of its last change, which rises within a chat; 0 if it never changed.
    deleted: Only of a deleted message, whose `text` is empty.
    expires_at: When it is deleted by itself.
    data: The application's own.
    mentions: Handles of the members whom it mentions; mentions_all: Whether it mentions all.
    replied: Of a reply, the message that it answers; None if the user may not read that one.
    thread: Of a message with replies. A reply is no change of it.
    sender_name: The name in the sender's profile; only of a message that was pushed or sent.
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
    change: int = 0
    edited_at: datetime | None = None
    deleted: Deletion | None = None
    expires_at: datetime | None = None
    data: dict[str, Any] | None = None
    mentions: list[str] = []
    mentions_all: bool = False
    forwarded: Forwarded | None = None
    replied: Replied | None = None
    thread: ThreadSummary | None = None
    reactions: list[ReactionCount] = []
    pinned_at: datetime | None = None
    partial: bool = False
    epoch: int = 0
    sender_name: str | None = None

    def concerns(self, user: str | None) -> bool:
        """Return whether another user's message mentions a user, or answers a message of theirs."""
        if user is None or self.sender == user:
            return False
        answers = self.replied is not None and self.replied.sender == user
        return user in self.mentions or self.mentions_all or answers

    @property
    def time(self) -> int:
        """The time of sending, µs since 1970."""
        return (self.sent_at - EPOCH) // MICROSECOND


class Preview(Struct, kw_only=True, frozen=True):
    """The newest message of a chat, shortened."""

    seq: int
    sender: str
    kind: str
    text: str
    sent_at: datetime
    cut: bool = False
    deleted: bool = False


class ChatUser(Struct, kw_only=True, frozen=True):
    """One of the two users of a direct chat."""

    handle: str
    name: str = ""
    avatar: str | None = None


class ChatRow(Struct, kw_only=True, frozen=True):
    """A chat of the inbox; the API documents the fields.

    seq, cursor: Of the newest message that the user may read.
    base: Seq before the oldest such message; drop older ones.
    mentions: Number of unread messages that mention the user, or answer theirs.
    requests: Number of users who ask to join; for admins and owners.
    read, received: Seq of the last message that the user has read and received.
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
    users: list[ChatUser] | None = None
    requests: int | None = None
    expires_in: int | None = None
    base: int = 0
    mentions: int = 0
    change: str | None = None
    marked_unread: bool = False
    pinned: bool = False
    muted: bool = False
    archived: bool = False
    active_at: datetime | None = None
    last: Preview | None = None


class ChangedHistory(Struct, kw_only=True, frozen=True):
    """A chat that has lost the message that was checked; seq: Of its newest message now."""

    chat: str
    epoch: int
    seq: int
    cursor: str


class Presence(Struct, kw_only=True, frozen=True):
    """Whether a user is online; last_seen_at is None for never, or if it is hidden from you."""

    user: str
    online: bool
    last_seen_at: datetime | None = None


class Unread(Struct, kw_only=True, frozen=True):
    """The unread messages of the user's chats.

    unread: In chats that are neither muted nor archived. chats: Number of these that are unread.
    quiet: In muted and archived chats.
    """

    unread: int
    chats: int
    quiet: int


class SendFailure(Struct, kw_only=True, frozen=True):
    """Why a scheduled message was not sent; code: Of the problem."""

    code: str
    detail: str
    at: datetime


class Scheduled(Struct, kw_only=True, frozen=True):
    """A message that is sent later, or that could not be sent (failed)."""

    id: str
    chat: str
    send_at: datetime
    made_at: datetime
    text: str
    reply_to: int | None = None
    failed: SendFailure | None = None


class FoundRange(Struct, kw_only=True, frozen=True):
    """A part of a message's text, in characters: from start up to, but not including, end."""

    start: int
    end: int


class FoundMessage(Struct, kw_only=True, frozen=True):
    """A message that a search has found; ranges: The places of the words in its text."""

    message: Message
    ranges: list[FoundRange]


class Found(Struct, kw_only=True, frozen=True):
    """A page of a search, newest first; next: For `before`, None if nothing is left."""

    hits: list[FoundMessage]
    next: str | None = None
