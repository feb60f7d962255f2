"""Messages, and the bytes as which the log stores them."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

DEFAULTS = (..., ..., None, "text", None, None)
"""What is left out at the end of a message's array: no sender and no text, an id of None, and so on."""
VERSION = b"\x01"
TIME = slice(1, 9)
BODY = slice(9, None)


class Content(msgspec.Struct, array_like=True, frozen=True):
    """What a sender wrote; stored as a msgpack array without the defaults at its end.

    event: of a message of the kind `system`, what happened: its `type`, and what belongs to it.
    reply_to: the seq of the message that it replies to.
    """

    sender: str
    text: str
    id: str | None = None
    kind: str = "text"
    event: dict[str, Any] | None = None
    reply_to: int | None = None


class LogEntry(NamedTuple):
    """One message of a log; time in µs since 1970."""

    seq: int
    time: int
    content: Content


class CorruptEntry(Exception):
    """A stored element is not one that this version can have written."""


encode = msgspec.msgpack.Encoder().encode
"""Returns a value as msgpack."""
_decode = msgspec.msgpack.Decoder(Content).decode


def packed(content: Content) -> bytes:
    """Return a content as the log stores it."""
    values: list[Any] = [content.sender, content.text, content.id, content.kind, content.event]
    values.append(content.reply_to)
    while values[-1] == DEFAULTS[len(values) - 1]:
        values.pop()
    return encode(values)


def entry_of(seq: int, element: bytes) -> LogEntry:
    """Return a message as the log stores it; raises CorruptEntry."""
    if element[:1] != VERSION:
        raise CorruptEntry(f"element {seq} has version {element[:1].hex()}, not {VERSION.hex()}")
    try:
        return LogEntry(seq, int.from_bytes(element[TIME]), _decode(element[BODY]))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptEntry(f"element {seq} cannot be decoded") from error
