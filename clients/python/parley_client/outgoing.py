"""Frames that the client sends. `type` names a frame; its response repeats `ref`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

MAX_FRAME_BYTES = 32 * 1024
"""Maximum size in bytes of a WebSocket frame at API Gateway; longer messages are sent in several frames."""
MAX_CHECKED = 100
"""Maximum number of chats that one hello, or one sync over REST, may check."""
PIECE_CHARACTERS = MAX_FRAME_BYTES // 4
"""Number of characters that always fit in a frame: UTF-8 takes at most 4 bytes a character."""

SignalKind = Literal["offer", "answer", "candidate", "ring", "accept", "reject", "hangup", "screen"]


class Frame(Struct, tag_field="type", kw_only=True, omit_defaults=True):
    """Fields of every frame."""

    ref: str | None = None


class HeldCursor(Struct, kw_only=True, frozen=True):
    """The client's newest message of a chat, for the server to check whether it still has that message."""

    chat: str
    cursor: str


class Hello(Frame, tag="hello", kw_only=True):
    """Registers the connection.

    version: The token of the last sync; None for a client without messages.
    check: The newest messages of chats that got one since, at most MAX_CHECKED.
    """

    version: str | None = None
    check: Sequence[HeldCursor] = ()


class ForwardedFrom(Struct, kw_only=True, frozen=True):
    """A message that the user may read."""

    chat: str
    seq: int


class Content(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The new content of a message; None: as it is."""

    text: str | None = None
    data: dict[str, Any] | None = None


class Send(Frame, tag="send", kw_only=True):
    """Appends a message to a chat, once for each id; forward: The message whose content to send."""

    chat: str
    id: str
    text: str = ""
    reply_to: int | None = None
    expires_in: int | None = None
    data: dict[str, Any] | None = None
    forward: ForwardedFrom | None = None

    def body(self) -> dict[str, Any]:
        """Return the same as the body of a request."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return {name: value for name, value in fields.items() if name not in {"type", "ref", "chat"}}


class Pull(Frame, tag="pull", kw_only=True):
    """Requests messages of a chat after a cursor; the newest without one."""

    chat: str
    limit: int
    after: str | None = None


class Received(Frame, tag="received", kw_only=True):
    """Marks a chat as received up to a message."""

    chat: str
    seq: int


class Read(Frame, tag="read", kw_only=True):
    """Marks a chat as read up to a message, or up to the newest one."""

    chat: str
    seq: int | None = None


class SayTyping(Frame, tag="typing", kw_only=True):
    """Says whether the user is typing in a chat."""

    chat: str
    on: bool


class Watch(Frame, tag="watch", kw_only=True):
    """Replaces the list of users whose presence the client receives."""

    users: Sequence[str]


class RoomJoin(Frame, tag="room.join", kw_only=True):
    """Joins a room, by its id without `r-`."""

    room: str


class RoomLeave(Frame, tag="room.leave", kw_only=True):
    """Leaves a room; the user stays a member."""

    room: str


class RoomClients(Frame, tag="room.clients", kw_only=True):
    """Requests the users who are in a room now."""

    room: str


class SendSignal(Frame, tag="signal", kw_only=True):
    """Passes data of a call to a user, or to the other members of a chat."""

    call: str
    kind: SignalKind
    to: str | None = None
    chat: str | None = None
    data: object = None


class Ping(Frame, tag="ping", kw_only=True):
    """Keeps the connection alive, and checks that it is."""


def encode(frame: Frame) -> str | list[str]:
    """Return a frame as text, or as a list of parts if it is too long for one WebSocket frame."""
    data = msgspec.json.encode(frame)
    text = data.decode()
    if len(data) <= MAX_FRAME_BYTES:
        return text
    return [text[start : start + PIECE_CHARACTERS] for start in range(0, len(text), PIECE_CHARACTERS)]
