"""The events that an application gets: frames of the server, and what the client finds out itself."""

from __future__ import annotations

from msgspec import Struct

from parley_client.incoming import Failed, Receipt, RoomNotice, Signal, Typing
from parley_client.models import ChatRow, Message, Presence


class ChatReset(Struct, frozen=True):
    """Forget the messages of this chat: the server has another history of it, which follows.

    readable: Whether one follows. Otherwise the chat does not exist any more, or the user may not read it.
    """

    chat: str
    readable: bool = True


class ChatMoved(Struct, frozen=True):
    """A chat's new row in the inbox; a state other than member or invited takes it off the list."""

    row: ChatRow


class InboxReset(Struct, frozen=True):
    """Drop the rows of the inbox; new ones follow. Messages stay as they are."""


class Connected(Struct, frozen=True):
    """The client is connected.

    user: The user's handle.
    connection: The connection's id at the server.
    """

    user: str
    connection: str


class Disconnected(Struct, frozen=True):
    """The client is not connected.

    reason: In words.
    retry_in: Seconds until the next attempt.
    """

    reason: str
    retry_in: float


Event = (
    Message
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
