"""The bodies of REST responses."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from parley_client.incoming import Sync
from parley_client.models import ChangedHistory, ChatRow, Message, Scheduled, Unread


class Ticket(Struct, kw_only=True):
    """Opens one WebSocket, once, within 30 seconds."""

    url: str
    ticket: str


class Account(Struct, kw_only=True):
    """A logged-in user. Keep the token: the server does not show it again."""

    handle: str
    token: str
    expires_at: datetime


class Entry(Struct, kw_only=True):
    """The response to registering and logging in."""

    class User(Struct):
        """The fields that the client reads."""

        handle: str

    user: User
    token: str
    expires_at: datetime


class RestInbox(Struct, kw_only=True):
    """A page of the inbox."""

    chats: list[ChatRow]


class Changed(Struct, kw_only=True):
    """A change of a chat: of `seq` if subject is `message`, of `user` if it is `member`, or `info`."""

    subject: str
    seq: int = 0
    change: int = 0
    message: Message | None = None
    hidden: bool = False
    user: str | None = None
    role: str | None = None
    muted_until: datetime | None = None


class Changes(Struct, kw_only=True):
    """A page of the changes of a chat, the latest last; reset: Some are no longer known."""

    changes: list[Changed]
    next: str
    more: bool
    reset: bool


class ThreadPage(Struct, kw_only=True):
    """A part of a thread.

    root: Its first message; None if the user may not read it. messages: Replies in rising seq.
    next: Pass as `after` for later ones. more: Whether there are already more.
    """

    root: Message | None
    messages: list[Message]
    next: str
    more: bool


class Reaction(Struct, kw_only=True, frozen=True):
    """A user's reaction to a message."""

    emoji: str
    user: str


class ReactionPage(Struct, kw_only=True):
    """Some reactions to a message; next: A cursor for the following ones."""

    reactions: list[Reaction]
    next: str | None = None


class PinPage(Struct, kw_only=True):
    """Some pinned messages, the newest pin first; next: A cursor for the following ones."""

    messages: list[Message]
    next: str | None = None


class UnreadPage(Unread, kw_only=True, frozen=True):
    """The unread messages of some chats; next: A cursor for the following ones."""

    next: str | None = None


class ReadPage(Struct, kw_only=True):
    """Chats that are read now, and were unread; next: A cursor for the following ones."""

    chats: list[str]
    next: str | None = None


class ScheduledPage(Struct, kw_only=True):
    """Some of the user's scheduled messages."""

    scheduled: list[Scheduled]
    next: str | None = None


class RestSync(Struct, kw_only=True):
    """The response to a sync; see Sync."""

    chats: list[ChatRow]
    next: str
    more: bool
    reset: bool
    history_changed: list[ChangedHistory] = []
    unreadable: list[str] = []

    def frame(self) -> Sync:
        """Return the same as a frame."""
        return Sync(
            chats=self.chats,
            version=self.next,
            more=self.more,
            reset=self.reset,
            history_changed=self.history_changed,
            unreadable=self.unreadable,
        )
