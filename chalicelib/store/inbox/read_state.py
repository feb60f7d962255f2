"""Read states: how far each reader of a chat has read and received, and the reader's flags."""

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
"""Flags. HIDDEN: The reader left the direct chat, and it has no message since. WROTE: The reader has written
in the direct chat; never cleared. ACCEPTED: The reader has written in the chat, made it or joined it by a
call of their own, and has not left it since."""
RECORD = struct.Struct(">QQQQB")
"""read, received, cleared, stamp, flags; `>I8I8I8I8B` in Lua."""


T = TypeVar("T")


class ReadStateChange(NamedTuple):
    """A change of a read state that the reader's inbox must show.

    stamp: Of the read state, µs since 1970. active: Time of the newest message that the reader sees, µs; 0:
    none. large: Whether the chat is large. read: Seq up to which the reader has read; 0 for other changes.
    """

    stamp: int
    active: int
    large: bool
    read: int = 0


class Receipt(NamedTuple):
    """The seqs up to which a member has read and received a chat; 0: none."""

    handle: str
    read: int
    received: int


class ReadStates:
    """The read states of a chat. Their keys, in the chat's partition `{c<NNN>}` (see store/keys.py):

    `{c<NNN>}:readers:<chat>`: HASH, no expiry. handle -> read, received and cleared seq and `stamp`, 8 bytes
        each, big-endian, and a byte of flags, as above. cleared: In a direct chat, messages up to this seq
        are hidden from the reader. stamp: µs since 1970; every change raises it, except of `received`.
    `{c<NNN>}:outbox`: `p<handle>\\0<chat>` -> the stamp, if something other than a message has raised it; see
        Outbox.

    handle: Of one of the two users of a direct chat. In a group only members have read states: all queries
    raise ChatNotFound and NotAMember.
    """

    def read(
        self,
        chat: str,
        handle: str,
        seq: int | None,
        time: int | None = None,
        epoch: int | None = None,
        *,
        field: str = "seq",
    ) -> Query[ReadStateChange | None]:
        """Return the query that raises the seq read by a member, and clears MARKED_UNREAD.

        seq: None: that of the newest message. time, epoch: Expected time of the message at seq and epoch of
        the log; None: any. field: Name of the field with the seq. Its result is None if nothing that an inbox
        shows has changed.
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
        """Return the query that raises the seq received by a member; False: it is unchanged. See `read`."""
        return _changing(RAISE_READ_STATE, chat, handle, _raised("received", seq, time, epoch), field, bool)

    def flag(self, chat: str, handle: str, set_bits: int, clear_bits: int) -> Query[ReadStateChange | None]:
        """Return the query that sets and clears flags; None: nothing that an inbox shows has changed."""
        return _changing(SET_FLAGS, chat, handle, (set_bits, clear_bits), "seq", _changed)

    def leave(self, chat: str, handle: str) -> Query[ReadStateChange]:
        """Return the query that hides a direct chat until its next message, and all its messages until now.

        The flags are cleared. `active` of its result is the time of the last hidden message.
        """
        own = (keys.hidden(chat, handle), keys.hidings(chat, handle))
        named = (keys.log(chat), keys.read_states(chat), keys.outbox(chat), *own)
        return _turning(HIDE_DIRECT_CHAT, named, chat, handle)

    def open(self, chat: str, handle: str) -> Query[ReadStateChange]:
        """Return the query that shows a direct chat, with or without messages."""
        return _turning(SHOW_DIRECT_CHAT, (*reader_keys(chat), keys.outbox(chat)), chat, handle)

    def receipts(self, chat: str, handle: str) -> Query[list[Receipt]]:
        """Return the query for the receipts of all members, by handle; handle: Of the reading member."""
        kind = kind_of(chat)
        pair = dict.fromkeys(chat.split(":")) if kind == "direct" else ()
        args = (handle, kind, *pair)
        return Query(READ_RECEIPTS, reader_keys(chat), args, lambda reply: _receipts(chat, reply))


def _turning(script: Script, named: tuple[str, ...], chat: str, handle: str) -> Query[ReadStateChange]:
    def read(reply: list[int]) -> ReadStateChange:
        stamp, active, _ = reply
        return ReadStateChange(stamp, active, False)

    return Query(script, named, (handle, inbox_item(handle, chat)), read)


def _raised(
    state: str, seq: int | None, time: int | None, epoch: int | None
) -> tuple[str | bytes | int, ...]:
    upto = "" if seq is None else seq
    return state, upto, b"" if time is None else time.to_bytes(8), "" if epoch is None else str(epoch)


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
    if not reply:
        return None
    stamp, active, large, *read = reply
    return ReadStateChange(stamp, active, bool(large), *read)


def _receipts(chat: str, reply: Any) -> list[Receipt]:
    if isinstance(reply, int):
        raise refusal(chat, reply)
    pairs = zip(reply[::2], reply[1::2], strict=True)
    return sorted(
        Receipt(handle.decode(), *(RECORD.unpack(held)[:2] if held else (0, 0))) for handle, held in pairs
    )
