"""What the client tells the application: frames of the server, and what the client finds out itself."""

from __future__ import annotations

from msgspec import Struct

from parley_client.incoming import ChatRow, Failed, Message, Presence, Receipt, RoomNotice, Signal, Typing


class ChatReset(Struct, frozen=True):
    """Begin this chat again: forget its messages. The server has another history of it, which follows.

    readable: whether one follows; else there is no such chat any more, or the user may not read it.
    """

    chat: str
    readable: bool = True


class ChatMoved(Struct, frozen=True):
    """A chat of the inbox is as this row says. A state other than member or invited: off the list."""

    row: ChatRow


class InboxReset(Struct, frozen=True):
    """Drop the rows of the inbox: all of them follow. Messages stay as they are."""


class Connected(Struct, frozen=True):
    """The client hears of what happens. user: as the server knows them. connection: its id there."""

    user: str
    connection: str


class Disconnected(Struct, frozen=True):
    """The client hears nothing now. reason: in words. retry_in: s until it tries again."""

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
