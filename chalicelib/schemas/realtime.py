"""Frames of the WebSocket, both ways, and the ticket that lets one in. `type` names a frame."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from chalicelib.errors import FieldError
from chalicelib.schemas.chats import Handle
from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.history_check import Check, HistoryChanged, Unreadable
from chalicelib.schemas.inbox import ChatRow
from chalicelib.schemas.messages import (
    MAX_PAGE,
    ChatId,
    CursorText,
    Message,
    MessageId,
    Page,
    RepliedTo,
    SentKind,
    SentMessage,
    Text,
    Time,
)

SUBPROTOCOL = "parley.protobuf"
MAX_REF_CHARACTERS = 64
MAX_CALL_CHARACTERS = 64
MAX_WATCHED = 100
MAX_MESSAGE_BYTES = 128 * 1024
"""Of what goes through a socket at once. Source: "Amazon API Gateway quotas", WebSocket APIs."""
MAX_FRAME_BYTES = 32 * 1024
"""Of each of the pieces in which a client sends it. Source: the same."""
MAX_SIGNAL_BYTES = 64 * 1024
"""Of a signal's data as JSON."""

Ref = Annotated[
    str,
    Meta(
        max_length=MAX_REF_CHARACTERS,
        description="The client's own name for a frame; what answers the frame repeats it.",
        examples=["17"],
    ),
]
RoomId = Annotated[
    str, Meta(max_length=64, description="A room's id without `r-`, in any case.", examples=["lobby"])
]
Mark = Annotated[int, Meta(ge=1, le=2**53 - 1, description="A seq.", examples=[12])]
Call = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=MAX_CALL_CHARACTERS,
        description="The client's name for the call, the same in all its signals.",
        examples=["0195a1c26f1e7a51"],
    ),
]
SignalKind = Literal["offer", "answer", "candidate", "ring", "accept", "reject", "hangup", "screen"]
SignalData = Annotated[
    Any,
    Meta(description=f"Passed on as it is: any JSON, {MAX_SIGNAL_BYTES // 1024} KiB at the most."),
]
RoomEvent = Literal["joined", "left", "clients", "entered", "gone"]


# --- getting in ---------------------------------------------------------------------------------------------


class TicketRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """What a ticket is for."""

    room: Annotated[RoomId | None, Meta(description="Joined as soon as the socket is ready.")] = None


class Ticket(Struct, kw_only=True):
    """Lets its user open one socket, once: `<url>?ticket=<ticket>`."""

    url: Annotated[str, Meta(examples=["wss://abc.execute-api.us-east-1.amazonaws.com/prod"])]
    ticket: Annotated[str, Meta(description="One use, 30 seconds.")]
    expires_at: Time


# --- what clients send --------------------------------------------------------------------------------------


class FromClient(Struct, tag_field="type", kw_only=True, forbid_unknown_fields=True):
    """What every frame of a client may have."""

    ref: Ref | None = None


class Hello(FromClient, tag="hello", kw_only=True):
    """Registers the connection; answered by `sync`, in as many frames as it takes, then `ready`."""

    version: Annotated[
        str | None,
        Meta(description="The `version` of the last `sync`; absent for a client that holds nothing."),
    ] = None
    check: Check = []


class Send(FromClient, tag="send", kw_only=True):
    """Appends a message to a chat; answered by `ack`."""

    chat: ChatId
    id: MessageId
    text: Text
    kind: SentKind = "text"
    reply_to: RepliedTo | None = None


class Pull(FromClient, tag="pull", kw_only=True):
    """Asks for some messages of a chat, the newest without after or before; answered by `page`."""

    chat: ChatId
    after: CursorText | None = None
    before: CursorText | None = None
    limit: Annotated[
        int,
        Meta(ge=1, le=MAX_PAGE, description="At the most; a page too large for a frame is cut."),
    ] = 50


class UpTo(FromClient, kw_only=True):
    """Up to which message of a chat; one of the two."""

    chat: ChatId
    seq: Mark | None = None
    cursor: Annotated[
        CursorText | None,
        Meta(description="Checked: an error when it is of a history that is gone."),
    ] = None

    def __post_init__(self) -> None:
        _check_one(seq=self.seq, cursor=self.cursor)


class Received(UpTo, tag="received", kw_only=True):
    """Says how far the client has received; not answered."""


class Read(UpTo, tag="read", kw_only=True):
    """Says how far the user has read; not answered."""


class Typing(FromClient, tag="typing", kw_only=True):
    """Says that the user is typing, or no more; not answered, and dropped in chats over 100 members."""

    chat: ChatId
    on: bool


class Watch(FromClient, tag="watch", kw_only=True):
    """Says whose presence the client wants, instead of those before; answered by `presence`."""

    users: Annotated[list[Handle], Meta(max_length=MAX_WATCHED)]


class RoomJoin(FromClient, tag="room.join", kw_only=True):
    """Joins a room, as its member; answered by `room`."""

    room: RoomId


class RoomLeave(FromClient, tag="room.leave", kw_only=True):
    """Leaves a room; the user stays its member. Answered by `room`."""

    room: RoomId


class RoomClients(FromClient, tag="room.clients", kw_only=True):
    """Asks who is in a room now; answered by `room`."""

    room: RoomId


class Signal(FromClient, tag="signal", kw_only=True):
    """Passed on to a user, or to the others of a chat; not answered, but for an error."""

    call: Call
    kind: SignalKind
    to: Annotated[Handle | None, Meta(description="For one user; or `chat`, for its members.")] = None
    chat: ChatId | None = None
    data: SignalData = None

    def __post_init__(self) -> None:
        _check_one(to=self.to, chat=self.chat)


class Ping(FromClient, tag="ping", kw_only=True):
    """Keeps the connection alive; answered by `pong`."""


ClientFrame = (
    Hello
    | Send
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


# --- what the server sends ----------------------------------------------------------------------------------


class Ack(SentMessage, tag_field="type", tag="ack", kw_only=True, omit_defaults=True):
    """The message that a `send` made, committed, or the one that an earlier send with its id had made."""

    ref: Ref | None = None


class MessageFrame(Message, tag_field="type", tag="message", kw_only=True, omit_defaults=True):
    """A message, for every connection of every member but the one that sent it."""


class ToClient(Struct, tag_field="type", kw_only=True, omit_defaults=True):
    """What the server sends; what is null is left out."""


class Reply(ToClient, kw_only=True):
    """What may answer a frame of the client's."""

    ref: Ref | None = None


class SyncFrame(Reply, tag="sync", kw_only=True):
    """Chats that have moved; the first frames after `hello`."""

    chats: list[Encoded[ChatRow]]
    version: Annotated[str, Meta(description="For the next `hello`, when all of these chats are noted.")]
    more: Annotated[bool, Meta(description="Whether there is more: it follows, or after another `hello`.")]
    reset: Annotated[
        bool, Meta(description="Drop every chat that you hold: this is the first page of them all.")
    ]
    history_changed: HistoryChanged = []
    unreadable: Unreadable = []


class Ready(Reply, tag="ready", kw_only=True):
    """The end of the answer to `hello`: from here on the client hears of what happens."""

    user: str
    connection: Annotated[str, Meta(description="The connection's id.")]


class PageFrame(Page, tag_field="type", tag="page", kw_only=True, omit_defaults=True):
    """Some messages of a chat, in rising seq."""

    chat: str
    ref: Ref | None = None


class ReceiptFrame(ToClient, tag="receipt", kw_only=True):
    """How far a member has come, whichever of the two has risen."""

    chat: str
    user: str
    read: Mark | None = None
    received: Mark | None = None


class TypingFrame(ToClient, tag="typing", kw_only=True):
    """Whether a member is typing; forget it after some seconds."""

    chat: str
    user: str
    on: bool


class Presence(Struct, kw_only=True):
    """Whether a user is there."""

    user: str
    online: Annotated[bool, Meta(description="Whether any connection of the user's lives.")]
    last_seen_at: Annotated[
        Time | None, Meta(description="When the last one ended; null for never, or not for you.")
    ]


class PresenceFrame(Reply, tag="presence", kw_only=True):
    """Who is there: the answer to `watch`, and each change after."""

    users: list[Presence]


class RoomFrame(Reply, tag="room", kw_only=True):
    """The answer to a `room.…` frame, and what others do in a room that the client has joined."""

    room: str
    chat: Annotated[str, Meta(description="The room as a chat.", examples=["r-lobby"])]
    event: Annotated[
        RoomEvent,
        Meta(description="`joined`, `left`, `clients` answer; `entered`, `gone` tell of another user."),
    ]
    user: Annotated[str | None, Meta(description="Who has entered or gone.")] = None
    notice: Annotated[
        str | None,
        Meta(description="The same in plain English.", examples=["a new user has joined the room"]),
    ] = None
    clients: Annotated[
        list[str] | None, Meta(description="Users who are in the room now, each once; with the answers.")
    ] = None


class SignalFrame(ToClient, tag="signal", kw_only=True):
    """A signal of another user."""

    from_: Annotated[str, Meta(description="Who sent it; never taken from the frame.")] = field(name="from")
    call: Call
    kind: SignalKind
    to: str | None = None
    chat: str | None = None
    data: SignalData = None


class Pong(Reply, tag="pong", kw_only=True):
    """The answer to `ping`."""

    time: Time


class ErrorFrame(Reply, tag="error", kw_only=True):
    """A frame that could not be done, as the problem that REST would have answered; the socket lives on."""

    status: Annotated[int, Meta(examples=[404])]
    code: Annotated[str, Meta(description="Stable.", examples=["chat_not_found"])]
    title: str
    detail: Annotated[str, Meta(description="What is wrong, and what to do.")]
    errors: Annotated[list[FieldError], Meta(description="The fields at fault.")] = []
    retry_after: Annotated[int | None, Meta(description="Seconds to wait before the next try.")] = None


ServerFrame = (
    Ack
    | MessageFrame
    | SyncFrame
    | Ready
    | PageFrame
    | ReceiptFrame
    | TypingFrame
    | PresenceFrame
    | RoomFrame
    | SignalFrame
    | Pong
    | ErrorFrame
)
