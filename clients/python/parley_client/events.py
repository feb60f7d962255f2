"""The events that an application gets: frames of the server, and what the client finds out itself."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from parley_client.incoming import Failed, Receipt, RoomNotice, Signal, Typing
from parley_client.models import ChatRow, Message, Presence, Unread


class MessageChanged(Struct, frozen=True):
    """A message that the application may hold has changed: replace it, unless it is not held.

    change: Number of the change, which rises within a chat. After a restart a change may come again.
    """

    chat: str
    seq: int
    change: int
    message: Message


class MessageHidden(Struct, frozen=True):
    """The user has deleted a message for themselves, on whichever device: drop it.

    change: Number of the change.
    """

    chat: str
    seq: int
    change: int


class MemberChanged(Struct, frozen=True):
    """A member of a chat has joined, left or changed while the client was away.

    role: None if the user is not a member now.
    """

    chat: str
    user: str
    role: str | None = None
    muted_until: datetime | None = None


class ChatReset(Struct, frozen=True):
    """Forget the messages of this chat: the server has another history of it, which follows.

    readable: Whether one follows. Otherwise the chat does not exist any more, or the user may not read it.
    lost: Whether messages or changes were lost. Otherwise the server does not know all changes any more.
    """

    chat: str
    readable: bool = True
    lost: bool = True


class ChatMoved(Struct, frozen=True):
    """A chat's new row in the inbox; a state other than member or invited takes it off the list."""

    row: ChatRow


class InboxReset(Struct, frozen=True):
    """Drop the rows of the inbox; new ones follow. Messages stay as they are."""


class Connected(Struct, frozen=True):
    """The client is connected.

    user: The user's handle.
    connection: The connection's id at the server.
    unread: Unread messages in the 100 last active chats.
    """

    user: str
    connection: str
    unread: Unread | None = None


class Disconnected(Struct, frozen=True):
    """The client is not connected.

    reason: In words.
    retry_in: Seconds until the next attempt.
    """

    reason: str
    retry_in: float


Event = (
    Message
    | MessageChanged
    | MessageHidden
    | MemberChanged
    | ChatReset
    | ChatMoved
    | InboxReset
    | Receipt
    | Typing
    | Presence
    | RoomNotice
    | Signal
    | Failed
    | Connected
    | Disconnected
)
