"""Frames as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Raw, Struct

from chalicelib.schemas import decoding
from chalicelib.schemas.realtime import ClientFrame, Ref

ENCODER = msgspec.json.Encoder()


class _Named(Struct):
    ref: Ref | None = None


REF = msgspec.json.Decoder(_Named)


def from_json(text: str) -> ClientFrame:
    """Return the frame in a JSON text; raises BadRequest."""
    frame: ClientFrame = decoding.from_json(text, ClientFrame, "frame")
    return frame


def ref_in(text: str) -> str | None:
    """Return the `ref` in a JSON text; raises errors of msgspec, UnicodeError and RecursionError."""
    return REF.decode(text).ref


def raw_json(data: object) -> Raw:
    """Return values as the JSON that is passed on: however deep, it is not walked again."""
    return Raw(decoding.decoded(ENCODER.encode, data, "frame"))


def object_in(text: str | bytes) -> dict[str, Any]:
    """Return the object in a JSON text, empty if there is none."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
