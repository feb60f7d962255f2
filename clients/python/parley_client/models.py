"""Messages, rows of the inbox and presence, as frames and REST responses hold them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec import Struct

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Message(Struct, tag_field="type", tag="message", kw_only=True, frozen=True):
    """A message of a chat.

    seq: Its number in the chat, from 1.
    id: The id that the sender chose.
    kind: `text`, or `system` for an event in a group or room.
    reply_to: Seq of the message that it replies to.
    sent_at: Rises within a chat.
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


class ChatRow(Struct, kw_only=True, frozen=True):
    """A chat of the inbox; the API documents the fields.

    seq, cursor: Of the newest message that the user may read.
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
