"""Frames that the client sends. `type` names a frame; the answer repeats its `ref`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct

MAX_FRAME_BYTES = 32 * 1024
"""Of one WebSocket frame, as API Gateway allows it; a longer message is sent in several."""
MOST_CHECKED = 100
"""Chats that one hello, or one sync by REST, may check."""
PIECE_CHARACTERS = MAX_FRAME_BYTES // 4
"""As many characters surely fit a frame: UTF-8 takes 4 bytes for one at the most."""

SignalKind = Literal["offer", "answer", "candidate", "ring", "accept", "reject", "hangup", "screen"]


class Frame(Struct, tag_field="type", kw_only=True, omit_defaults=True):
    """What every frame may have."""

    ref: str | None = None


class HeldCursor(Struct, kw_only=True, frozen=True):
    """The newest message that the client holds of a chat, for the server to say whether it has it."""

    chat: str
    cursor: str


class Hello(Frame, tag="hello", kw_only=True):
    """Registers the connection.

    version: the token of the last sync, None for a client that holds nothing. check: what the client holds of
    the chats that got a message since, MOST_CHECKED at most.
    """

    version: str | None = None
    check: Sequence[HeldCursor] = ()


class Send(Frame, tag="send", kw_only=True):
    """Appends a message to a chat, once for an id."""

    chat: str
    id: str
    text: str
    reply_to: int | None = None


class Pull(Frame, tag="pull", kw_only=True):
    """Asks for messages of a chat after a cursor, the newest without one."""

    chat: str
    limit: int
    after: str | None = None


class Received(Frame, tag="received", kw_only=True):
    """Says how far the client has received a chat."""

    chat: str
    seq: int


class Read(Frame, tag="read", kw_only=True):
    """Says how far the user has read a chat."""

    chat: str
    seq: int


class SayTyping(Frame, tag="typing", kw_only=True):
    """Says whether the user is typing in a chat."""

    chat: str
    on: bool


class Watch(Frame, tag="watch", kw_only=True):
    """Says whose presence the client wants to know, instead of those before."""

    users: Sequence[str]


class RoomJoin(Frame, tag="room.join", kw_only=True):
    """Joins a room, by its id without `r-`."""

    room: str


class RoomLeave(Frame, tag="room.leave", kw_only=True):
    """Leaves a room; its membership stays."""

    room: str


class RoomClients(Frame, tag="room.clients", kw_only=True):
    """Asks who is in a room now."""

    room: str


class SendSignal(Frame, tag="signal", kw_only=True):
    """Passes data of a call on to a user, or to the others of a chat."""

    call: str
    kind: SignalKind
    to: str | None = None
    chat: str | None = None
    data: object = None


class Ping(Frame, tag="ping", kw_only=True):
    """Keeps the connection alive, and finds out whether it is."""


def encode(frame: Frame) -> str | list[str]:
    """Return a frame as text; a list: the parts of one that a single WebSocket frame cannot hold."""
    data = msgspec.json.encode(frame)
    text = data.decode()
    if len(data) <= MAX_FRAME_BYTES:
        return text
    return [text[start : start + PIECE_CHARACTERS] for start in range(0, len(text), PIECE_CHARACTERS)]
