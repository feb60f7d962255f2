"""The bodies of REST responses."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from parley_client.incoming import Sync
from parley_client.models import ChangedHistory, ChatRow


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
