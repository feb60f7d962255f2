"""The log of a chat."""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from chalicelib.errors import HistoryChanged, IdConflict
from chalicelib.store import keys
from chalicelib.store.client import Query, Store
from chalicelib.store.scripts import Script

APPEND_MESSAGE = Script("append_message")
READ_LOG = Script("read_log")

DAY_SECONDS = 86_400
IDS_TTL_SECONDS = 2 * DAY_SECONDS
PAGE_BYTES = 4 * 1024 * 1024
LAST_PLACE = 2**53 - 1
"""The largest whole number that Lua can hold."""

VERSION = b"\x01"
TIME = slice(1, 9)
BODY = slice(9, None)


class Content(msgspec.Struct, array_like=True, frozen=True):
    """What a sender wrote; stored as a msgpack array without the defaults at its end."""

    sender: str
    text: str
    id: str | None = None
    kind: str = "text"


class Entry(NamedTuple):
    """One message of a log; time in µs since 1970."""

    seq: int
    time: int
    content: Content


class Appended(NamedTuple):
    """Where a message stands in the log; time in µs since 1970."""

    seq: int
    time: int
    duplicate: bool


class Slice(NamedTuple):
    """Neighbouring messages of a log in rising seq, and the log's bounds when they were read."""

    base: int
    head: int
    epoch: int
    entries: list[Entry]


class CorruptEntry(Exception):
    """A stored element is not one that this version can have written."""


class MessageLog:
    """The log of a chat. Its keys, all in the chat's partition `{c<NNN>}` (see store/keys.py):

    `{c<NNN>}:log:<chat>`: LIST, no expiry. Index 0 is the header, index i the message with seq = base + i.
        header: byte 0, then `base` and `epoch`, 8 bytes each, big-endian. base: how many messages were
        trimmed. epoch: the time in µs at which the log began; it names this history of the chat.
        message: byte 1 (the version), 8 bytes of time (µs since 1970, by the store's clock, never falling
        within the log), then the msgpack array [sender, text, id, kind] without the defaults at its end.
    `{c<NNN>}:ids:<chat>:<day>`: HASH, expires 48 h after its last write. One field for each message sent
        with an id on that UTC day: 8-byte digest of (sender, id) -> 8-byte digest of the content, 8 bytes
        of time, 6 bytes of seq.
    """

    def __init__(self, store: Store, keep: int = 0) -> None:
        self._store = store
        self._keep = keep

    def append(self, chat: str, content: Content) -> Appended:
        """Append a message, unless its id already did, in one round trip.

        chat: the canonical id. content.id: at most once for the same sender (by case-folded name) within
        24 hours at the least.
        Raises IdConflict when the id came with another content before.
        """
        names = [keys.log(chat)]
        args: list[bytes | str | int] = [_pack(content), self._keep]
        if content.id is not None:
            today = int(time.time()) // DAY_SECONDS
            names += [keys.ids(chat, day) for day in range(today - 2, today + 2)]
            args += [_digest(content.sender.casefold(), content.id), _fingerprint(content)]
            args += [today - 2, IDS_TTL_SECONDS]
        query: Query[Any] = Query(
            APPEND_MESSAGE, tuple(names), tuple(args), repeatable=content.id is not None
        )
        seq, sent, outcome = self._store.fetch(query)
        if outcome == 2:
            raise IdConflict(f"The id was used for message {seq} of this chat, which has another content.")
        return Appended(seq, sent, outcome == 1)

    def after(
        self, chat: str, seq: int, limit: int, *, time: int | None = None, epoch: int | None = None
    ) -> Query[Slice]:
        """Return the query for the messages that follow a seq, oldest first, `limit` or 4 MiB at the most.

        time, epoch: what the message at seq and the log must have.
        Reading the reply raises HistoryChanged when they have not.
        """
        return _reading(chat, "after", seq, limit, time, epoch)

    def before(
        self, chat: str, seq: int, limit: int, *, time: int | None = None, epoch: int | None = None
    ) -> Query[Slice]:
        """Return the query for the messages that precede a seq; see `after`."""
        return _reading(chat, "before", seq, limit, time, epoch)

    def newest(self, chat: str, skip: int, limit: int) -> Query[Slice]:
        """Return the query for the newest messages but for the `skip` newest ones."""
        return _reading(chat, "newest", skip, limit, None, None)


def _reading(
    chat: str, side: str, place: int, limit: int, time: int | None, epoch: int | None
) -> Query[Slice]:
    at = b"" if time is None else time.to_bytes(8)
    args = (side, min(place, LAST_PLACE), limit, PAGE_BYTES, at, "" if epoch is None else str(epoch))
    return Query(READ_LOG, (keys.log(chat),), args, _slice)


def _slice(reply: Any) -> Slice:
    if not reply:
        raise HistoryChanged(
            "The chat's history is not the one this cursor came from. Read it from the start."
        )
    base, head, epoch, first, *elements = reply
    return Slice(base, head, epoch, [_unpack(first + i, element) for i, element in enumerate(elements)])


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Content).decode


def _pack(content: Content) -> bytes:
    values: list[Any] = [content.sender, content.text]
    if content.kind != "text":
        values += [content.id, content.kind]
    elif content.id is not None:
        values += [content.id]
    return _encode(values)


def _unpack(seq: int, element: bytes) -> Entry:
    if element[:1] != VERSION:
        raise CorruptEntry(f"element {seq} has version {element[:1].hex()}, not {VERSION.hex()}")
    try:
        return Entry(seq, int.from_bytes(element[TIME]), _decode(element[BODY]))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CorruptEntry(f"element {seq} cannot be decoded") from error


def _digest(*parts: str) -> bytes:
    return blake2b(_encode(parts), digest_size=8).digest()


def _fingerprint(content: Content) -> bytes:
    return _digest(content.kind, content.text)
