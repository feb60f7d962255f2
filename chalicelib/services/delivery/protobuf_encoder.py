"""A server's frames as protobuf Messages of the subprotocol `parley.protobuf`."""

from __future__ import annotations

import base64
from typing import Any

from msgspec import Struct

from chalicelib.errors import PayloadTooLarge
from chalicelib.schemas.message_pb2 import Message
from chalicelib.schemas.realtime import MAX_MESSAGE_BYTES, ErrorFrame, MessageFrame, Pong, SignalFrame
from chalicelib.services.delivery.json_codec import ENCODER, object_in
from chalicelib.services.values.chat_id import is_group

HEARTBEAT = "heatbeat"
"""The spelling of Go-Chat's clients."""
SIGNAL = "webrtc"
OWN = "parley."
"""Prefix of the types whose content is a frame in JSON."""
TO_USER, TO_GROUP = 1, 2
TEXT = 1
CALL = "webrtc"
"""The id of every call: these clients give their calls none."""
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
"""Meanings of contentType in `webrtc`: 11-14 belong to voice calls, 15-18 to video calls."""
CONTENT_TYPES = {"screen": 9, "ring": 15, "accept": 16, "hangup": 17, "reject": 18}
MEDIA = 7
"""contentType of what peers negotiate for a video call."""


def encode(frame: Struct) -> bytes:
    """Return a server's frame as the base64 of a Message."""
    text = base64.b64encode(_message(frame).SerializeToString())
    return text if len(text) <= MAX_MESSAGE_BYTES else encode(_too_long(frame))


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
    given = object_in(text)
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
    """Return the error for a frame whose base64 is too long for a connection."""
    problem = PayloadTooLarge
    return ErrorFrame(
        status=problem.status,
        code=problem.code,
        title=problem.title,
        detail=f"The {_type(frame)} is too large for a protobuf Message; read it over HTTP.",
        ref=getattr(frame, "ref", None),
    )
