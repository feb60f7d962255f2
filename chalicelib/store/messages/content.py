"""Messages, and the bytes as which the log stores them."""

from __future__ import annotations

import struct
import time
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

TEXT, SYSTEM = "text", "system"
"""The kinds of messages: of users, and of the server."""
PLAIN, EXTENDED = b"\x01", b"\x02"
"""The versions of an element; see MessageLog."""
LEFT_OUT = b"\x00"
"""What a script gives in place of the version of a message that the reader has hidden; its time follows."""
TIME = slice(1, 9)
BODY = slice(9, None)
HEADER = struct.Struct(">BQQQQ")
"""Version, time, change, expires and root of an extended element; see lua/parts/element.lua."""


class Origin(msgspec.Struct, array_like=True, frozen=True):
    """The first message of a forwarded one: its chat's canonical id, its seq, and its sender's handle."""

    chat: str
    seq: int
    sender: str


class Extra(
    msgspec.Struct,
    omit_defaults=True,
    frozen=True,
    rename={
        "reactions": "r",
        "deleted": "d",
        "edited": "e",
        "deleted_by": "b",
        "data": "a",
        "mentions": "m",
        "mentions_all": "l",
        "forwarded": "f",
        "pinned": "p",
    },
):
    """What few messages have; stored as a msgpack map of one-letter names, without the defaults.

    The map has them in this order, and reactions or deleted come first: see lua/parts/reaction_counts.lua.
    reactions: Number of users by emoji, the first used first. edited: Time of the last edit, µs; 0: never.
    deleted: Time of the deletion or of the expiry, µs; 0: there is a message. deleted_by: Handle of the user
    who deleted it; empty if it expired. data: A JSON object of the sender. mentions: Handles of the mentioned
    members. mentions_all: Whether all members are mentioned. forwarded: The first message. pinned: When it
    was pinned, µs; 0: it is not.
    """

    reactions: dict[str, int] = {}  # msgspec copies it
    deleted: int = 0
    edited: int = 0
    deleted_by: str = ""
    data: dict[str, Any] | None = None
    mentions: tuple[str, ...] = ()
    mentions_all: bool = False
    forwarded: Origin | None = None
    pinned: int = 0


NO_EXTRA = Extra()


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
    extra: Extra = NO_EXTRA


class LogEntry(NamedTuple):
    """One message of a log; time in µs since 1970.

    change: Number of its last change, µs; 0: it never changed. expires: µs; 0: never. root: Seq of the first
    message of its thread, its own if it is that; 0: it is in none.
    """

    seq: int
    time: int
    content: Content
    change: int = 0
    expires: int = 0
    root: int = 0

    @property
    def is_deleted(self) -> bool:
        """Whether the message was deleted or has expired; it has no text then."""
        return self.content.extra.deleted > 0

    @property
    def is_hidden(self) -> bool:
        """Whether the reader has hidden the message; it has nothing but its seq and time then."""
        return self.content is HIDDEN


class CorruptEntry(Exception):
    """A stored element is not one that this version can have written."""


HIDDEN = Content("", "", kind="hidden", extra=Extra())
"""What a reader who has hidden a message reads of it. Plain messages have NO_EXTRA itself, so it is none."""
DAMAGES = (msgspec.DecodeError, UnicodeDecodeError, struct.error)
"""What decoding a damaged element raises."""
DEFAULTS = (..., ..., None, "text", None, None, NO_EXTRA)
"""What is left out at the end of a message's array: no sender and no text, an id of None, and so on."""
encode = msgspec.msgpack.Encoder().encode
"""Returns a value as msgpack."""
_decode = msgspec.msgpack.Decoder(Content).decode


def packed(content: Content) -> bytes:
    """Return a content as the log stores it."""
    values: list[Any] = [content.sender, content.text, content.id, content.kind, content.event]
    values.append(content.reply_to)
    if content.extra is not NO_EXTRA:
        values.append(content.extra)
    while values[-1] == DEFAULTS[len(values) - 1]:
        values.pop()
    return encode(values)


def entry_of(seq: int, element: bytes) -> LogEntry:
    """Return a message of the log, a tombstone once it has expired; raises CorruptEntry.

    Every reader of the log decodes here, so that nothing shows the text of a message that has expired.
    """
    if element[:1] != PLAIN:
        entry = _other_entry(seq, element)
        return entry if not entry.expires or entry.expires > time.time_ns() // 1000 else expired(entry)
    try:
        return LogEntry(seq, int.from_bytes(element[TIME]), _decode(element[BODY]))
    except DAMAGES as error:
        raise _damaged(seq) from error


def expired(entry: LogEntry) -> LogEntry:
    """Return a message as it is after its expiry; a deleted one does not change."""
    if entry.is_deleted:
        return entry
    return entry._replace(content=tombstone(entry.content, entry.expires))


def stored_entry(seq: int, element: bytes) -> LogEntry:
    """Return a message as the log stores it, also one that has expired: for the sweep, which deletes it.

    Raises CorruptEntry.
    """
    return entry_of(seq, element) if element[:1] == PLAIN else _other_entry(seq, element)


def tombstone(content: Content, deleted: int, by: str = "") -> Content:
    """Return what remains of a deleted message. deleted: µs. by: Handle; empty if it expired."""
    return Content(
        content.sender,
        "",
        kind=content.kind,
        reply_to=content.reply_to,
        extra=Extra(deleted=deleted, deleted_by=by),
    )


def _other_entry(seq: int, element: bytes) -> LogEntry:
    """Return a message that is not of the version of most."""
    if element[:1] == LEFT_OUT and len(element) == TIME.stop:
        return LogEntry(seq, int.from_bytes(element[TIME]), HIDDEN)
    if element[:1] != EXTENDED:
        raise CorruptEntry(f"element {seq} has version {element[:1].hex()}, not 01 or 02")
    try:
        _, sent, change, expires, root = HEADER.unpack_from(element)
        return LogEntry(seq, sent, _decode(element[HEADER.size :]), change, expires, root)
    except DAMAGES as error:
        raise _damaged(seq) from error


def _damaged(seq: int) -> CorruptEntry:
    return CorruptEntry(f"element {seq} cannot be decoded")


def with_extra(content: Content, **changes: Any) -> Content:
    """Return a content with other values of its Extra."""
    return replace(content, extra=replace(content.extra, **changes))
