"""How far the readers of a chat have come, and what they have marked it with."""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.access import inbox_item, kind_of, reader_keys, refusal
from chalicelib.store.redis.client import Store
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

    def __init__(self, store: Store) -> None:
        self._store = store

    def read(
        self,
        chat: str,
        handle: str,
        seq: int,
        time: int | None = None,
        epoch: int | None = None,
        *,
        field: str = "seq",
    ) -> ReadStateChange | None:
        """Raise how far a member has read, and take the mark of being unread away.

        time, epoch: what the message at seq and the log must have, unless None. field: what named the seq.
        Returns None when nothing of what an inbox shows has changed.
        Raises HistoryChanged; BadRequest for a seq that is to come.
        """
        return _touched(self._raise("read", chat, handle, (seq, time, epoch), field))

    def received(
        self,
        chat: str,
        handle: str,
        seq: int,
        time: int | None = None,
        epoch: int | None = None,
        *,
        field: str = "seq",
    ) -> bool:
        """Raise how far a member has received the chat; see `read`. Returns whether it rose."""
        return bool(self._raise("received", chat, handle, (seq, time, epoch), field))

    def flag(self, chat: str, handle: str, set_bits: int, clear_bits: int) -> ReadStateChange | None:
        """Set and clear flags; returns None when nothing of what an inbox shows has changed."""
        return _touched(self._change(SET_FLAGS, chat, handle, set_bits, clear_bits))

    def leave(self, chat: str, handle: str) -> ReadStateChange:
        """Hide what a chat of two holds by now, and the chat until the next message; the flags go.

        Returns as `active` the time of the last message that is hidden.
        """
        named = (keys.log(chat), keys.read_states(chat), keys.outbox(chat))
        return self._turn(HIDE_DIRECT_CHAT, named, chat, handle)

    def open(self, chat: str, handle: str) -> ReadStateChange:
        """Show a chat of two, whether or not there are messages."""
        named = (*reader_keys(chat), keys.outbox(chat))
        return self._turn(SHOW_DIRECT_CHAT, named, chat, handle)

    def receipts(self, chat: str, handle: str) -> Query[list[Receipt]]:
        """Return the query for how far each member has come, by handle; handle: a member, who asks."""
        kind = kind_of(chat)
        pair = dict.fromkeys(chat.split(":")) if kind == "direct" else ()
        args = (handle, kind, *pair)
        return Query(READ_RECEIPTS, reader_keys(chat), args, lambda reply: _receipts(chat, reply))

    def _turn(self, script: Script, named: tuple[str, ...], chat: str, handle: str) -> ReadStateChange:
        query: Query[Any] = Query(script, named, (handle, inbox_item(handle, chat)))
        stamp, active, _ = self._store.run(query)
        return ReadStateChange(stamp, active, False)

    def _raise(
        self, mark: str, chat: str, handle: str, upto: tuple[int, int | None, int | None], field: str
    ) -> list[int]:
        seq, time, epoch = upto
        args = (mark, seq, b"" if time is None else time.to_bytes(8), "" if epoch is None else str(epoch))
        return self._change(RAISE_READ_STATE, chat, handle, *args, field=field)

    def _change(
        self, script: Script, chat: str, handle: str, *args: str | bytes | int, field: str = "seq"
    ) -> list[int]:
        named = (*reader_keys(chat), keys.outbox(chat))
        given = (handle, kind_of(chat), inbox_item(handle, chat), *args)
        query: Query[Any] = Query(script, named, given)
        reply = self._store.run(query)
        if isinstance(reply, int):
            raise refusal(chat, reply, field)
        return list(reply)


def flags_of(held: bytes | None) -> int:
    """Return the flags in a reader's record; None: there is none."""
    return RECORD.unpack(held)[4] if held else 0


def _touched(reply: list[int]) -> ReadStateChange | None:
    return ReadStateChange(reply[0], reply[1], bool(reply[2])) if reply else None


def _receipts(chat: str, reply: Any) -> list[Receipt]:
    if isinstance(reply, int):
        raise refusal(chat, reply)
    pairs = zip(reply[::2], reply[1::2], strict=True)
    return sorted(
        Receipt(handle.decode(), *(RECORD.unpack(held)[:2] if held else (0, 0))) for handle, held in pairs
    )
