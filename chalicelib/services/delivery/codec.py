"""Encodes and decodes frames: JSON, or base64 of a protobuf Message on request."""

from __future__ import annotations

from types import ModuleType

import msgspec
from msgspec import Struct

from chalicelib.errors import BadRequest
from chalicelib.schemas.realtime import ClientFrame, Signal
from chalicelib.services.delivery.json_codec import ENCODER, from_json, raw_json, ref_in

JSON_BYTES, PROTOBUF_BYTES = 100 * 1024, 70 * 1024
"""Maximum bytes of rows in a frame: API Gateway takes 128 KB a message, and base64 adds a third."""


def rows_bytes(protobuf: bool) -> int:
    """Return the maximum number of bytes of JSON of the rows in one frame."""
    return PROTOBUF_BYTES if protobuf else JSON_BYTES


def encode(frame: Struct, protobuf: bool) -> bytes:
    """Return a server's frame as UTF-8 text.

    protobuf: Whether the connection uses `parley.protobuf`; a frame that is too long for it becomes an error
    frame.
    """
    return _protobuf().encode(frame) if protobuf else ENCODER.encode(frame)


def decode(body: str, protobuf: bool, handle: str) -> ClientFrame:
    """Return a client's frame.

    handle: Of the connection's user; a protobuf Message names only the other user of a direct chat.

    The data of a signal stays encoded, as msgspec.Raw. Raises BadRequest, and no other error.
    """
    frame: ClientFrame = _protobuf().decode(body, handle) if protobuf else from_json(body)
    if isinstance(frame, Signal) and frame.data is not None:
        frame.data = raw_json(frame.data)
    return frame


def ref_of(body: str, protobuf: bool) -> str | None:
    """Return the `ref` of a frame that may be malformed, for the error that answers it; None: it has none."""
    try:
        return ref_in(_protobuf().json_in(body) if protobuf else body)
    except (BadRequest, msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def _protobuf() -> ModuleType:
    """Return the module that needs Google's library, which most processes never load."""
    from chalicelib.services.delivery import protobuf

    return protobuf
