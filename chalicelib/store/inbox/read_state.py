"""How far the readers of a chat have come, and what they have marked it with."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from chalicelib.store import keys
from chalicelib.store.access import inbox_item, kind_of, reader_keys, refusal
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

RAISE_READ_STATE = Script("inbox/raise_read_state")
SET_FLAGS = Script("inbox/set_flags")
HIDE_DIRECT_CHAT = Script("inbox/hide_direct_chat")
SHOW_DIRECT_CHAT = Script("inbox/show_direct_chat")
READ_RECEIPTS = Script("inbox/read_receipts")

MARKED_UNREAD, PINNED, MUTED, ARCHIVED, HIDDEN, WROTE, ACCEPTED = 1, 2, 4, 8, 16, 32, 64
"""Flags. HIDDEN: of a chat of two that was left, until something is written in it. WROTE: the reader has
written in a chat of two; it stays. ACCEPTED: the reader has written in the chat, made it or joined it by
themselves, and has not left it since."""
RECORD = struct.Struct(">QQQQB")
"""read, received, cleared, stamp, flags; `>I8I8I8I8B` in Lua."""


T = TypeVar("T")


class ReadStateChange(NamedTuple):
    """What the inbox of a reader must be told of a chat.

    stamp: the reader's, µs since 1970. active: the time of the newest message that they see, µs; 0 for none.
    large: whether the chat is.
    """

    stamp: int
    active: int
    large: bool


class Receipt(NamedTuple):
    """How far a member has come, in seqs; 0 for nowhere."""

    handle: str
    read: int
    received: int


class ReadStates:
    """The marks of a chat's readers. Their keys, in the chat's partition `{c<NNN>}` (see store/keys.py):

    `{c<NNN>}:readers:<chat>`: HASH, no expiry. handle -> read, received and cleared seq and `stamp`, 8 bytes
        each, big-endian, and a byte of flags, as above. cleared: in a chat of two, what came up to there is
        hidden from the reader. stamp: µs since 1970; it rises with every change of how the reader stands to
        the chat but for the mark of what was received.
    `{c<NNN>}:outbox`: `p<handle>\\0<chat>` -> the stamp, when it has risen otherwise than by a message; see
        Outbox.

    handle: of a chat of two it is one of the two. Of a group only members have marks: all raise ChatNotFound
    and NotAMember.
    """

    def read(
        self,
        chat: str,
        handle: str,
        seq: int,
        time: int | None = None,
        epoch: int | None = None,
        *,
        field: str = "seq",
    ) -> Query[ReadStateChange | None]:
        """Return the query that raises how far a member has read, and clears MARKED_UNREAD.

        time, epoch: What the message at seq and the log must have, unless None. field: Name of the field with
        the seq. Its result is None if nothing that an inbox shows has changed.
        Reading its reply also raises HistoryChanged, and BadRequest for a seq that does not exist yet.
        """
        return _changing(RAISE_READ_STATE, chat, handle, _raised("read", seq, time, epoch), field, _changed)

    def received(
        self,
        chat: str,
        handle: str,
        seq: int,
        time: int | None = None,
        epoch: int | None = None,
        *,
        field: str = "seq",
    ) -> Query[bool]:
        """Return the query that raises how far a member has received; False: it was there. See `read`."""
        return _changing(RAISE_READ_STATE, chat, handle, _raised("received", seq, time, epoch), field, bool)

    def flag(self, chat: str, handle: str, set_bits: int, clear_bits: int) -> Query[ReadStateChange | None]:
        """Return the query that sets and clears flags; None: nothing that an inbox shows has changed."""
        return _changing(SET_FLAGS, chat, handle, (set_bits, clear_bits), "seq", _changed)

    def leave(self, chat: str, handle: str) -> Query[ReadStateChange]:
        """Return the query that hides a direct chat until its next message, and all its messages until now.

        The flags are cleared. `active` of its result is the time of the last hidden message.
        """
        named = (keys.log(chat), keys.read_states(chat), keys.outbox(chat))
        return _turning(HIDE_DIRECT_CHAT, named, chat, handle)

    def open(self, chat: str, handle: str) -> Query[ReadStateChange]:
        """Return the query that shows a direct chat, with or without messages."""
        return _turning(SHOW_DIRECT_CHAT, (*reader_keys(chat), keys.outbox(chat)), chat, handle)

    def receipts(self, chat: str, handle: str) -> Query[list[Receipt]]:
        """Return the query for how far each member has come, by handle; handle: a member, who asks."""
        kind = kind_of(chat)
        pair = dict.fromkeys(chat.split(":")) if kind == "direct" else ()
        args = (handle, kind, *pair)
        return Query(READ_RECEIPTS, reader_keys(chat), args, lambda reply: _receipts(chat, reply))


def _turning(script: Script, named: tuple[str, ...], chat: str, handle: str) -> Query[ReadStateChange]:
    def read(reply: list[int]) -> ReadStateChange:
        stamp, active, _ = reply
        return ReadStateChange(stamp, active, False)

    return Query(script, named, (handle, inbox_item(handle, chat)), read)


def _raised(state: str, seq: int, time: int | None, epoch: int | None) -> tuple[str | bytes | int, ...]:
    return state, seq, b"" if time is None else time.to_bytes(8), "" if epoch is None else str(epoch)


def _changing(
    script: Script,
    chat: str,
    handle: str,
    args: tuple[str | bytes | int, ...],
    field: str,
    make: Callable[[list[int]], T],
) -> Query[T]:
    def read(reply: Any) -> T:
        if isinstance(reply, int):
            raise refusal(chat, reply, field)
        return make(reply)

    given = (handle, kind_of(chat), inbox_item(handle, chat), *args)
    return Query(script, (*reader_keys(chat), keys.outbox(chat)), given, read)


def flags_of(held: bytes | None) -> int:
    """Return the flags in a reader's record; None: there is none."""
    return RECORD.unpack(held)[4] if held else 0


def _changed(reply: list[int]) -> ReadStateChange | None:
    return ReadStateChange(reply[0], reply[1], bool(reply[2])) if reply else None


def _receipts(chat: str, reply: Any) -> list[Receipt]:
    if isinstance(reply, int):
        raise refusal(chat, reply)
    pairs = zip(reply[::2], reply[1::2], strict=True)
    return sorted(
        Receipt(handle.decode(), *(RECORD.unpack(held)[:2] if held else (0, 0))) for handle, held in pairs
    )
