"""Frames that a client sends; `type` names a frame."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType, field

from chalicelib.schemas.chats import Handle
from chalicelib.schemas.history_check import Check
from chalicelib.schemas.messages import (
    MAX_PAGE,
    ChangeNumber,
    ChatId,
    CursorText,
    Data,
    EmojiText,
    ExpiresIn,
    ForwardedFrom,
    MessageId,
    RepliedTo,
    SentKind,
    Seq,
    Text,
)
from chalicelib.schemas.realtime.fields import MAX_WATCHED, Call, ReadSeq, Ref, RoomId, SignalData, SignalKind


class FromClient(Struct, tag_field="type", kw_only=True, forbid_unknown_fields=True):
    """The field that every frame of a client may have."""

    ref: Ref | None = None


class Unanswered(FromClient, kw_only=True):
    """A frame without a reply of its own: the reply is `ok` if it has a `ref`."""


class Hello(FromClient, tag="hello", kw_only=True):
    """Registers the connection; the replies are one or more `sync`, then `ready`."""

    version: Annotated[
        str | None,
        Meta(description="The `version` of the last `sync`; absent for a client that holds nothing."),
    ] = None
    check: Check = []


class Send(FromClient, tag="send", kw_only=True):
    """Sends a message to a chat; the reply is `ack`."""

    chat: ChatId
    id: MessageId
    text: Annotated[Text, Meta(description="Required without `forward`.")] = ""
    kind: SentKind = "text"
    reply_to: RepliedTo | None = None
    expires_in: ExpiresIn | None = None
    data: Data | None = None
    forward: ForwardedFrom | None = None


class Edit(FromClient, tag="edit", kw_only=True):
    """Changes the text or data of one's own message; the reply is `change`."""

    chat: ChatId
    seq: Seq
    text: Text | UnsetType = UNSET
    data: Annotated[Data | UnsetType | None, Meta(description="Null removes it.")] = UNSET
    change: Annotated[
        ChangeNumber | None, Meta(description="The number that the message's last change must have.")
    ] = None


class Delete(FromClient, tag="delete", kw_only=True):
    """Deletes a message for all, or for oneself; the reply is `change`."""

    chat: ChatId
    seq: Seq
    for_: Annotated[
        Literal["all", "me"],
        Meta(description="`all`: nobody can read it again. `me`: you do not see it any more, others do."),
    ] = field(name="for")


class Pin(FromClient, tag="pin", kw_only=True):
    """Pins a message, or unpins it; the reply is `change`."""

    chat: ChatId
    seq: Seq
    on: Annotated[bool, Meta(description="False: unpin it.")] = True


class React(FromClient, tag="react", kw_only=True):
    """Adds one's reaction to a message, or removes it; the reply is `change`."""

    chat: ChatId
    seq: Seq
    emoji: EmojiText
    on: Annotated[bool, Meta(description="Whether to add it; false removes it.")] = True


class Pull(FromClient, tag="pull", kw_only=True):
    """Reads messages of a chat, the newest without `after` and `before`; the reply is `page`."""

    chat: ChatId
    after: CursorText | None = None
    before: CursorText | None = None
    limit: Annotated[
        int,
        Meta(
            ge=1, le=MAX_PAGE, description="Maximum number of messages; a page too large for a frame is cut."
        ),
    ] = 50


class UpTo(Unanswered, kw_only=True):
    """The last message of a chat that counts: one of `seq` and `cursor`."""

    chat: ChatId
    seq: ReadSeq | None = None
    cursor: Annotated[
        CursorText | None,
        Meta(description="Checked: an error if the chat's history has changed since."),
    ] = None


class Received(UpTo, tag="received", kw_only=True):
    """Marks messages as received. With a `ref` the reply is `ok`."""

    def __post_init__(self) -> None:
        _check_one(seq=self.seq, cursor=self.cursor)


class Read(UpTo, tag="read", kw_only=True):
    """Marks messages as read: all of them without `seq` and `cursor`. With a `ref` the reply is `ok`."""

    def __post_init__(self) -> None:
        if self.seq is not None:
            _check_one(seq=self.seq, cursor=self.cursor)


class Typing(Unanswered, tag="typing", kw_only=True):
    """Says that the user is typing or has stopped. Dropped in chats of over 100 members."""

    chat: ChatId
    on: bool


class Watch(FromClient, tag="watch", kw_only=True):
    """Watches the presence of users, instead of those before; the reply is `presence`."""

    users: Annotated[list[Handle], Meta(max_length=MAX_WATCHED)]


class RoomJoin(FromClient, tag="room.join", kw_only=True):
    """Joins a room as a member; the reply is `room`."""

    room: RoomId


class RoomLeave(FromClient, tag="room.leave", kw_only=True):
    """Leaves a room on this connection; the user stays a member. The reply is `room`."""

    room: RoomId


class RoomClients(FromClient, tag="room.clients", kw_only=True):
    """Lists the users who are in a room now; the reply is `room`."""

    room: RoomId


class Signal(Unanswered, tag="signal", kw_only=True):
    """Passes a signal on to a user, or to the other members of a chat. With a `ref` the reply is `ok`."""

    call: Call
    kind: SignalKind
    to: Annotated[
        Handle | None, Meta(description="The user to signal; otherwise `chat`, whose members to signal.")
    ] = None
    chat: ChatId | None = None
    data: SignalData = None

    def __post_init__(self) -> None:
        _check_one(to=self.to, chat=self.chat)


class Ping(FromClient, tag="ping", kw_only=True):
    """Keeps the connection open; the reply is `pong`."""


ClientFrame = (
    Hello
    | Send
    | Edit
    | Delete
    | React
    | Pin
    | Pull
    | Received
    | Read
    | Typing
    | Watch
    | RoomJoin
    | RoomLeave
    | RoomClients
    | Signal
    | Ping
)


def _check_one(**fields: object) -> None:
    if sum(value is not None for value in fields.values()) != 1:
        raise ValueError(f"Expected one of {' and '.join(f'`{name}`' for name in fields)}")
