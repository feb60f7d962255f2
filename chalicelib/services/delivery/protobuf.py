"""Frames as protobuf Messages of the subprotocol `parley.protobuf`, in base64; docs/protobuf.md says how."""

from __future__ import annotations

import base64
import functools
import uuid
from typing import Any

import msgspec
from google.protobuf.message import DecodeError
from msgspec import Struct

from chalicelib.errors import BadRequest, PayloadTooLarge, bad_field
from chalicelib.schemas.decoding import decoded
from chalicelib.schemas.message_pb2 import Message
from chalicelib.schemas.realtime import (
    MAX_MESSAGE_BYTES,
    ClientFrame,
    ErrorFrame,
    MessageFrame,
    Ping,
    Pong,
    SignalFrame,
)
from chalicelib.services.delivery.codec import ENCODER, from_json
from chalicelib.services.values.chat_id import GROUP_PREFIX, is_group

HEARTBEAT = "heatbeat"
"""Spelt so by the clients of the server that Parley replaces."""
SIGNAL = "webrtc"
OWN = "parley."
"""What the types begin with whose content is a frame in JSON."""
TO_USER, TO_GROUP = 1, 2
TEXT = 1
CALL = "webrtc"
"""The name of every call of these clients, who give it none."""
KINDS = {
    9: "screen",
    11: "ring",
    12: "accept",
    13: "hangup",
    14: "reject",
    15: "ring",
    16: "accept",
    17: "hangup",
    18: "reject",
}
"""What a contentType of `webrtc` means: 11-14 are of calls with voice, 15-18 of those with video."""
CONTENT_TYPES = {"screen": 9, "ring": 15, "accept": 16, "hangup": 17, "reject": 18}
MEDIA = 7
"""The contentType of what peers negotiate for a video call."""


CONVERT = functools.partial(msgspec.convert, type=ClientFrame)


def encode(frame: Struct) -> bytes:
    """Return a frame of the server's as the base64 of a Message."""
    text = base64.b64encode(_message(frame).SerializeToString())
    return text if len(text) <= MAX_MESSAGE_BYTES else encode(_too_long(frame))


def decode(body: str, handle: str) -> ClientFrame:
    """Return the frame of a client's that a base64 text means; raises BadRequest."""
    message = _parsed(body)
    if message.type.startswith(OWN):
        return from_json(message.content)
    if message.type == HEARTBEAT:
        return Ping()
    if message.type == SIGNAL:
        return _signal(message)
    if message.type:
        raise bad_field("type", f"it must be empty, {HEARTBEAT} or {SIGNAL}, or begin with {OWN}")
    return _send(message, handle)


def json_in(body: str) -> str:
    """Return the JSON that a base64 text holds, empty if it holds none; raises BadRequest."""
    message = _parsed(body)
    return message.content if message.type.startswith(OWN) else ""


def _parsed(body: str) -> Message:
    try:
        return Message.FromString(base64.b64decode(body, validate=True))
    except (ValueError, DecodeError):
        raise BadRequest("The frame is not the base64 of a protobuf Message.") from None


def _frame(values: Any) -> ClientFrame:
    frame: ClientFrame = decoded(CONVERT, values, "frame", ClientFrame)
    return frame


def _send(message: Message, handle: str) -> ClientFrame:
    if message.contentType not in (0, TEXT):
        raise bad_field("contentType", f"it must be {TEXT}, for text: nothing else can be sent")
    chat = _group(message) or f"{handle}:{_peer(message)}"
    return _frame({"type": "send", "chat": chat, "id": str(uuid.uuid4()), "text": message.content})


def _signal(message: Message) -> ClientFrame:
    group = _group(message)
    place = {"chat": group} if group else {"to": _peer(message)}
    data = {"content": message.content, "contentType": message.contentType}
    return _frame({"type": "signal", "call": CALL, "kind": _kind(message), "data": data, **place})


def _group(message: Message) -> str | None:
    """Return the group or room that a Message is for, if it is for one; a bare UUID is a group's."""
    if message.messageType in (0, TO_USER):
        return None
    if message.messageType != TO_GROUP:
        raise bad_field(
            "messageType", f"it must be {TO_USER} (or absent) for a user, or {TO_GROUP} for a group or room"
        )
    named = _peer(message)
    return named if is_group(named.casefold()) else GROUP_PREFIX + named


def _peer(message: Message) -> str:
    if not message.to:
        raise bad_field("to", "it is missing")
    return message.to


def _kind(message: Message) -> str:
    """Return what a step of a call is: by its contentType, or else by the `type` in its content."""
    if kind := KINDS.get(message.contentType):
        return kind
    named = _object(message.content).get("type")
    return str(named) if named in ("offer", "answer") else "candidate"


def _object(text: str | bytes) -> dict[str, Any]:
    """Return the object in a JSON text, empty if there is none."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _message(frame: Struct) -> Message:
    if isinstance(frame, MessageFrame) and frame.kind == "text":
        return _text(frame)
    if isinstance(frame, SignalFrame):
        return _step(frame)
    if isinstance(frame, Pong) and frame.ref is None:
        return Message(type=HEARTBEAT, content="pong")
    return Message(type=f"{OWN}{_type(frame)}", content=ENCODER.encode(frame).decode())


def _type(frame: Struct) -> str:
    return str(type(frame).__struct_config__.tag)


def _text(frame: MessageFrame) -> Message:
    group = is_group(frame.chat)
    return Message(
        **_sender(frame.sender),
        to=frame.chat if group else _other(frame.chat, frame.sender),
        content=frame.text,
        contentType=TEXT,
        messageType=TO_GROUP if group else TO_USER,
    )


def _step(frame: SignalFrame) -> Message:
    text = ENCODER.encode(frame.data)
    given = _object(text)
    content, number = given.get("content"), given.get("contentType")
    if not isinstance(content, str) or not _is_int32(number):
        content, number = text.decode(), CONTENT_TYPES.get(frame.kind, MEDIA)
    return Message(
        **_sender(frame.from_),
        to=frame.chat or frame.to,
        content=content,
        contentType=number,
        type=SIGNAL,
        messageType=TO_GROUP if frame.chat else TO_USER,
    )


def _is_int32(number: Any) -> bool:
    return type(number) is int and abs(number) < 2**31


def _sender(handle: str) -> dict[str, Any]:
    return {"fromUsername": handle, "from": handle}


def _other(chat: str, handle: str) -> str:
    first, _, second = chat.partition(":")
    return second if first == handle else first


def _too_long(frame: Struct) -> ErrorFrame:
    """Return the error for a frame that no socket takes once it is base64."""
    problem = PayloadTooLarge
    return ErrorFrame(
        status=problem.status,
        code=problem.code,
        title=problem.title,
        detail=f"The {_type(frame)} is too large for a protobuf Message; read it over HTTP.",
        ref=getattr(frame, "ref", None),
    )
