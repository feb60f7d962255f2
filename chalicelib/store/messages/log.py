"""The log of a chat."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from chalicelib.errors import IdConflict, MessageNotFound, ParleyError
from chalicelib.store import key_rows, keys
from chalicelib.store.access import (
    NO_CHAT,
    NO_MEMBER,
    kind_of,
    message_item,
    muted,
    reader_keys,
    refusal,
    slowed,
)
from chalicelib.store.messages.content import Content, LogEntry, encode, entry_of, packed
from chalicelib.store.realtime.connection_results import Recipient, recipients_of
from chalicelib.store.redis.query import Batch, Query
from chalicelib.store.redis.scripts import Script
from chalicelib.texts import folded

APPEND_MESSAGE = Script("messages/append_message")
CHECK_SEND = Script("messages/check_send")
READ_LOG = Script("messages/read_log")

DAY_SECONDS = 86_400
IDS_TTL_SECONDS = 2 * DAY_SECONDS
ID_DAYS = 4
PAGE_BYTES = 4 * 1024 * 1024
LONGEST_REPLY = 10
"""Length of the longest reply of an append; most leave out the end."""
LAST_INDEX = 2**53 - 1
"""The largest whole number that Lua can hold."""
STORED, DUPLICATE, CONFLICT, CHAT_MISSING, MEMBER_MISSING, MUTED, NOTHING_REPLIED, SLOWED = range(8)
"""The outcomes of an append; see lua/messages/append_message.lua."""


class Appended(NamedTuple):
    """The result of an append; seq, time: Of the message, µs since 1970.

    epoch: Of the log, µs. expires: When it expires, µs; 0: never, or it is a duplicate. root: See LogEntry.
    members: Handles of all members of a group that is not large; None for a duplicate.
    recipients: The attached connections of members of a large group; None for a duplicate. first: Of a
    duplicate, the message as it is now, unless it was trimmed.
    """

    seq: int
    time: int
    duplicate: bool
    epoch: int
    members: list[str] | None = None
    recipients: list[Recipient] | None = None
    expires: int = 0
    root: int = 0
    first: LogEntry | None = None


class LogPage(NamedTuple):
    """Neighbouring messages of a log in rising seq, and the log's bounds when they were read.

    base, head: Bounds of the messages that the reader may read. deleted: Of a group, handles of senders of
    these messages whose accounts are deleted.
    """

    base: int
    head: int
    epoch: int
    entries: list[LogEntry]
    deleted: tuple[str, ...] = ()


class MessageLog:
    """The log of a chat. Its keys, all in the chat's partition `{c<NNN>}` (see store/keys.py):

    `{c<NNN>}:log:<chat>`: LIST, no expiry. Index 0 is the header, index i the message with seq = base + i.
        header: byte 0, then `base` and `epoch`, 8 bytes each, big-endian. base: Number of trimmed messages.
        Retention may add 8 bytes: the seq up to which other keys hold nothing of trimmed messages. epoch:
        The time in µs at which the log began; it names this history of the chat. message: a version, 8
        bytes of time (µs since 1970, by the store's clock, always above the message before, so that it
        names the message), then the msgpack array [sender, text, id, kind, event, reply_to, extra (see
        Extra)] without the defaults at its end. Byte 1 is the version of most messages. One that has
        changed, expires or is in a thread has byte 2, and between time and array 8 bytes each of `change`,
        `expires` and `root`, see LogEntry.
    `{c<NNN>}:ids:<chat>:<day>`: HASH, expires 48 h after its last write. One field for each message sent
        with an id on that UTC day: 8-byte digest of (sender, id) -> 8-byte digest of the content, 8 bytes
        of time, 6 bytes of seq.
    `{c<NNN>}:outbox`: `m<chat>` -> time of the newest message; see Outbox.

    `{c<NNN>}:last_sent:<chat>`: HASH, expires 6 h after its last write: handle -> time (µs) of the last
        message of a member to a group or room in slow mode.

    A message also raises its sender's read state, see ReadStates, and removes trimmed seqs from `uncounted`.
    """

    def __init__(self, keep: int = 0, keep_days: int = 0) -> None:
        """Take the limits PARLEY_KEEP_MESSAGES and PARLEY_KEEP_DAYS."""
        self._limits = (keep, keep_days)

    def append(
        self,
        chat: str,
        content: Content,
        *,
        pending: bool = True,
        lifetime: int = 0,
        mentioned: Sequence[str] = (),
        sent_text: str | None = None,
        source: str = "",
    ) -> Query[Appended]:
        """Return the query that appends a message, unless its id was appended before.

        chat: The canonical id. content.id: Appended once for the same sender (by case-folded name) within at
        least 24 hours. pending: Whether it adds the delivery to the outbox; if not, its caller does.
        lifetime: Seconds until the message expires, or those of the chat if these are fewer; 0: those of the
        chat, if any. mentioned: Fields of `mentions` to which the message is added, see Mentions.
        sent_text: The text as the sender sent it, if a word filter has changed it. source: Reference to the
        message that it forwards, which stands for its text and data in comparisons; empty: none.
        Reading its reply raises IdConflict if the id was appended with other content; MessageNotFound for a
        reply to a message that does not exist yet; for a group first ChatNotFound, NotAMember and Muted.
        """
        sender = folded(content.sender)
        named = _append_keys(chat)
        args: list[bytes | str | int] = [packed(content), *self._limits, sender, kind_of(chat)]
        args += [message_item(chat) if pending else f"-{chat}", content.reply_to or 0]
        if content.id is not None:
            first_day = _first_id_day()
            named += _ids_keys(chat, first_day)
            args += [_digest(sender, content.id), _fingerprint(content, sent_text, lifetime, source)]
            args += [first_day, IDS_TTL_SECONDS]
        if lifetime or mentioned or content.reply_to:
            if content.id is None:
                args += ["", "", 0, 0]
            named += (keys.threads(chat), keys.mentions(chat))
            args += [lifetime, "\0".join(mentioned)]
        read = functools.partial(_appended, chat)
        return Query(APPEND_MESSAGE, named, tuple(args), read, repeatable=content.id is not None)

    def check(self, chat: str, sender: str, reply_to: int | None) -> Query[object]:
        """Return the query that checks whether a user may append a message now, and appends nothing.

        Reading its reply raises what `append` does, except IdConflict.
        """
        named = (keys.log(chat), keys.chat(chat), keys.members(chat))
        read = functools.partial(_appended, chat)
        return Query(CHECK_SEND, named, (sender, kind_of(chat), reply_to or 0), read)

    def has_id(self, chat: str, sender: str, message_id: str) -> Batch[bool]:
        """Return the batch that tells whether a user has sent a message with an id.

        sender: A handle. The answer is certain for 24 hours after the message.
        """
        digest = _digest(sender, message_id)
        named = _ids_keys(chat, _first_id_day())
        asking: list[Query[bytes | None]] = [Query("HGET", (key,), (digest,)) for key in named]
        return Batch(asking, any)

    def find(
        self,
        chat: str,
        content: Content,
        *,
        lifetime: int = 0,
        sent_text: str | None = None,
        source: str = "",
    ) -> Batch[int]:
        """Return the batch for the seq of the message that was appended with the id of a content; 0: none.

        The message has the same content, see `append`. The answer is certain for 24 hours after it.
        """
        digest = _digest(folded(content.sender), content.id or "")
        fingerprint = _fingerprint(content, sent_text, lifetime, source)
        named = _ids_keys(chat, _first_id_day())
        asking: list[Query[bytes | None]] = [Query("HGET", (key,), (digest,)) for key in named]
        return Batch(asking, functools.partial(_same, fingerprint))

    def after(
        self,
        chat: str,
        seq: int,
        limit: int,
        *,
        reader: str | None = None,
        time: int | None = None,
        epoch: int | None = None,
    ) -> Query[LogPage]:
        """Return the query for the messages after a seq, oldest first: at most `limit`, and at most 4 MiB.

        reader: Handle of the reader, one of the two users of a direct chat; the page has only messages that
        they may read. None: all messages. time, epoch: Expected time of the message at seq and epoch of the
        log; None: any. Reading the reply raises HistoryChanged if they differ, ChatNotFound for an unknown or
        deleted group, and NotAMember if the reader may read nothing of it.
        """
        return _reading(chat, "after", seq, limit, reader, time, epoch)

    def before(
        self,
        chat: str,
        seq: int,
        limit: int,
        *,
        reader: str | None = None,
        time: int | None = None,
        epoch: int | None = None,
    ) -> Query[LogPage]:
        """Return the query for the messages before a seq; see `after`."""
        return _reading(chat, "before", seq, limit, reader, time, epoch)

    def newest(self, chat: str, skip: int, limit: int, *, reader: str | None = None) -> Query[LogPage]:
        """Return the query for the newest messages without the `skip` newest ones; see `after`."""
        return _reading(chat, "newest", skip, limit, reader, None, None)


_append_keys = key_rows.together(
    keys.log,
    keys.chat,
    keys.members,
    keys.read_states,
    keys.uncounted,
    keys.outbox,
    keys.chat_connections,
    keys.expiries,
    keys.last_sent,
    keys.retained,
)


def _first_id_day() -> int:
    """Return the first of the days of which the ids are looked up; see lua/messages/append_message.lua."""
    return int(time.time()) // DAY_SECONDS - 2


@functools.lru_cache(maxsize=key_rows.KEPT_TEXTS)
def _ids_keys(chat: str, first_day: int) -> tuple[str, ...]:
    """Return the keys of the ids of some days, kept for the next messages of the chat."""
    return tuple([keys.ids(chat, first_day + day) for day in range(ID_DAYS)])


def _appended(chat: str, reply: Any) -> Appended:
    if reply[2] > DUPLICATE:
        raise _refused(chat, *reply[:3])
    seq, sent, outcome, epoch, members, *rest = reply
    named = members.decode().split("\0") if members else None
    if not rest:
        return Appended(seq, sent, outcome == DUPLICATE, epoch, named)
    json, protobuf, expires, root, element = rest + [None] * (LONGEST_REPLY - len(reply))
    recipients = None if json is None else recipients_of(json, protobuf)
    first = entry_of(seq, element) if element else None
    return Appended(seq, sent, outcome == DUPLICATE, epoch, named, recipients, expires or 0, root or 0, first)


def _refused(chat: str, seq: int, sent: int, outcome: int) -> ParleyError:
    """Return the error of an append that stored nothing."""
    if outcome == CONFLICT:
        return IdConflict(
            f"The id belongs to message {seq} of this chat, which has other content. Use a new id."
        )
    if outcome == NOTHING_REPLIED:
        return MessageNotFound(f"The message to reply to does not exist: the newest of chat {chat} is {seq}.")
    if outcome == MUTED:
        return muted(chat, sent)
    if outcome == SLOWED:
        return slowed(chat, sent)
    return refusal(chat, NO_CHAT if outcome == CHAT_MISSING else NO_MEMBER)


def _reading(
    chat: str, side: str, start: int, limit: int, reader: str | None, time: int | None, epoch: int | None
) -> Query[LogPage]:
    at = b"" if time is None else time.to_bytes(8)
    cursor = (min(start, LAST_INDEX), limit, PAGE_BYTES, at, "" if epoch is None else str(epoch))
    args = (side, *cursor, reader or "", kind_of(chat))
    return Query(READ_LOG, _page_keys(chat, reader or ""), args, lambda reply: _slice(chat, reply))


@functools.lru_cache(maxsize=key_rows.KEPT_TEXTS)
def _page_keys(chat: str, reader: str) -> tuple[str, ...]:
    """Return the keys of a page, kept for the reader's next pages of the chat."""
    return *reader_keys(chat), keys.hidden(chat, reader)


def _slice(chat: str, reply: Any) -> LogPage:
    if isinstance(reply, int):
        raise refusal(chat, reply)
    base, head, epoch, first, deleted, *elements = reply
    entries = [entry_of(first + i, element) for i, element in enumerate(elements)]
    return LogPage(base, head, epoch, entries, tuple(handle.decode() for handle in deleted))


def _digest(*parts: str) -> bytes:
    return blake2b(encode(parts), digest_size=8).digest()


def _same(fingerprint: bytes, records: Sequence[bytes | None]) -> int:
    """Return the seq in the first record with a fingerprint; 0: there is none."""
    seqs = [int.from_bytes(record[16:]) for record in records if record and record[:8] == fingerprint]
    return seqs[0] if seqs else 0


def _fingerprint(content: Content, sent_text: str | None, lifetime: int, source: str) -> bytes:
    text = content.text if sent_text is None else sent_text
    data = content.extra.data
    if content.reply_to is None and data is None and not lifetime and not source:
        return _digest(content.kind, text)
    replied = () if content.reply_to is None else (str(content.reply_to),)
    expires = (f"expires_in {lifetime}",) if lifetime else ()
    if source:
        return _digest(content.kind, "", *replied, *expires, f"forward {source}")
    given = () if data is None else (f"data {msgspec.json.encode(data, order='deterministic').decode()}",)
    return _digest(content.kind, text, *replied, *expires, *given)
