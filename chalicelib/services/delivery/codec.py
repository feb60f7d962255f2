"""From text frames to typed ones and back: JSON, or base64 of a protobuf Message for who asked for that."""

from __future__ import annotations

from types import ModuleType

import msgspec
from msgspec import Raw, Struct

from chalicelib.errors import BadRequest
from chalicelib.schemas.decoding import decoded
from chalicelib.schemas.decoding import from_json as json_as
from chalicelib.schemas.realtime import ClientFrame, Ref, Signal

JSON_BYTES, PROTOBUF_BYTES = 100 * 1024, 70 * 1024
"""Rows of a frame: a message of API Gateway is 128 KB at the most, and base64 takes a third more."""
ENCODER = msgspec.json.Encoder()


class _Named(Struct):
    ref: Ref | None = None


REF = msgspec.json.Decoder(_Named)


def rows_bytes(protobuf: bool) -> int:
    """Return how many bytes of JSON may be rows of one frame."""
    return PROTOBUF_BYTES if protobuf else JSON_BYTES


def encode(frame: Struct, protobuf: bool) -> bytes:
    """Return a frame of the server's as the UTF-8 text that is sent.

    protobuf: whether the connection speaks `parley.protobuf`; then what is longer than a socket takes becomes
    an error frame.
    """
    return _protobuf().encode(frame) if protobuf else ENCODER.encode(frame)


def decode(body: str, protobuf: bool, handle: str) -> ClientFrame:
    """Return a frame of a client's.

    handle: whose connection it came by; a protobuf Message names only the other of a direct chat.
    The data of a signal is given as msgspec.Raw, as it is to be passed on.
    Raises BadRequest, and nothing else, for whatever a client may send.
    """
    frame: ClientFrame = _protobuf().decode(body, handle) if protobuf else from_json(body)
    if isinstance(frame, Signal) and frame.data is not None:
        frame.data = _written(frame.data)
    return frame


def from_json(text: str) -> ClientFrame:
    """Return the frame in a JSON text; raises BadRequest."""
    frame: ClientFrame = json_as(text, ClientFrame, "frame")
    return frame


def ref_of(body: str, protobuf: bool) -> str | None:
    """Return the `ref` of a frame that may be none, for the error that answers it; None if it has none."""
    try:
        return REF.decode(_protobuf().json_in(body) if protobuf else body).ref
    except (BadRequest, msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def _written(data: object) -> Raw:
    """Return values as the JSON that is passed on: however deep, it is not walked again."""
    return Raw(decoded(ENCODER.encode, data, "frame"))


def _protobuf() -> ModuleType:
    """Return the module that needs Google's library, which most connections never do."""
    from chalicelib.services.delivery import protobuf

    return protobuf
