"""The log of a chat."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from chalicelib.store import key_rows, keys
from chalicelib.store.access import (
    kind_of,
    message_item,
    reader_keys,
    refusal,
)
from chalicelib.store.messages.append_result import Appended, appended
from chalicelib.store.messages.content import Content, LogEntry, entry_of, packed
from chalicelib.store.messages.idempotency import (
    IDS_TTL_SECONDS,
    digest_of,
    fingerprint_of,
    first_day,
    ids_keys,
    seq_in,
)
from chalicelib.store.redis.query import Batch, Query
from chalicelib.store.redis.scripts import Script
from chalicelib.texts import folded

APPEND_MESSAGE = Script("messages/append_message")
CHECK_SEND = Script("messages/check_send")
READ_LOG = Script("messages/read_log")

PAGE_BYTES = 4 * 1024 * 1024
LAST_INDEX = 2**53 - 1
"""The largest whole number that Lua can hold."""


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

    def first(self, seq: int) -> LogEntry | None:
        """Return the page's first message if it has this seq, and the reader has not hidden it."""
        found = self.entries[0] if self.entries else None
        return found if found and found.seq == seq and not found.is_hidden else None


class MessageLog:
    """The log of a chat. Its keys, all in the chat's partition `{c<NNN>}` (see store/keys.py):

    `{c<NNN>}:log:<chat>`: LIST, no expiry. Index 0 is the header, index i the message with seq = base + i.
        header: byte 0, then `base` and `epoch`, 8 bytes each, big-endian. base: Number of trimmed messages.
            epoch: The time in µs at which the log began; it names this history of the chat. Retention may add
            8 bytes: the seq up to which other keys hold nothing of trimmed messages.
        message: a version, 8 bytes of time (µs since 1970, by the store's clock, always above the message
            before, so that it names the message), then the msgpack array [sender, text, id, kind, event,
            reply_to, extra (see Extra)] without the defaults at its end. Byte 1 is the version of most
            messages. One that has changed, expires or is in a thread has byte 2, and between time and array 8
            bytes each of `change`, `expires` and `root`, see LogEntry.
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
            day = first_day()
            named += ids_keys(chat, day)
            args += [digest_of(sender, content.id), fingerprint_of(content, sent_text, lifetime, source)]
            args += [day, IDS_TTL_SECONDS]
        if lifetime or mentioned or content.reply_to:
            if content.id is None:
                args += ["", "", 0, 0]
            named += (keys.threads(chat), keys.mentions(chat))
            args += [lifetime, "\0".join(mentioned)]
        read = functools.partial(appended, chat)
        return Query(APPEND_MESSAGE, named, tuple(args), read, repeatable=content.id is not None)

    def check(self, chat: str, sender: str, reply_to: int | None) -> Query[object]:
        """Return the query that checks whether a user may append a message now, and appends nothing.

        Reading its reply raises what `append` does, except IdConflict.
        """
        named = (keys.log(chat), keys.chat(chat), keys.members(chat))
        read = functools.partial(appended, chat)
        return Query(CHECK_SEND, named, (sender, kind_of(chat), reply_to or 0), read)

    def has_id(self, chat: str, sender: str, message_id: str) -> Batch[bool]:
        """Return the batch that tells whether a user has sent a message with an id.

        sender: A handle. The answer is certain for 24 hours after the message.
        """
        return Batch(_asking_for_id(chat, sender, message_id), any)

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
        asking = _asking_for_id(chat, folded(content.sender), content.id or "")
        fingerprint = fingerprint_of(content, sent_text, lifetime, source)
        return Batch(asking, functools.partial(seq_in, fingerprint))

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


def _asking_for_id(chat: str, sender: str, message_id: str) -> list[Query[bytes | None]]:
    """Return the queries for the record of a message with an id, one for each day."""
    digest = digest_of(sender, message_id)
    return [Query("HGET", (key,), (digest,)) for key in ids_keys(chat, first_day())]


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
