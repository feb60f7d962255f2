"""Frames as protobuf Messages of the subprotocol `parley.protobuf`, in base64; docs/protobuf.md says how."""

from __future__ import annotations

import base64
import functools
import uuid
from typing import Any

import msgspec
from google.protobuf.message import DecodeError

from chalicelib.errors import BadRequest, bad_field
from chalicelib.schemas.decoding import decoded
from chalicelib.schemas.message_pb2 import Message
from chalicelib.schemas.realtime import ClientFrame, Ping
from chalicelib.services.delivery.json_codec import from_json, object_in
from chalicelib.services.delivery.protobuf_encoder import (
    CALL,
    HEARTBEAT,
    KINDS,
    OWN,
    SIGNAL,
    TEXT,
    TO_GROUP,
    TO_USER,
    encode,
)
from chalicelib.services.values.chat_id import GROUP_PREFIX, is_group

__all__ = ["decode", "encode", "json_in"]
CONVERT = functools.partial(msgspec.convert, type=ClientFrame)


def decode(body: str, handle: str) -> ClientFrame:
    """Return the client's frame in a base64 text; raises BadRequest."""
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
    """Return the JSON in a base64 text, empty if there is none; raises BadRequest."""
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
    """Return the group or room that a Message is for; None: it is for a user. A bare UUID names a group."""
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
    """Return the kind of a call's step, by its contentType or else by the `type` in its content."""
    if kind := KINDS.get(message.contentType):
        return kind
    named = object_in(message.content).get("type")
    return str(named) if named in ("offer", "answer") else "candidate"
