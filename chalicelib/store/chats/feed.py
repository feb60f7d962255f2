"""The feed of a chat's changes."""

from __future__ import annotations

from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.access import kind_of, reader_keys, refusal
from chalicelib.store.messages.content import LogEntry, entry_of
from chalicelib.store.messages.log import PAGE_BYTES
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script
from chalicelib.store.redis.sorted_sets import ScoredMember, number_of

READ_CHANGES = Script("chats/read_changes")
MESSAGE = "e:"
"""What the subject of a changed message begins with; its seq follows."""


class KnownChange(NamedTuple):
    """The newest change that a client knows; seq 0: none.

    seq, number: Of the changed message, or of the system message that reported the change; the number in µs.
    epoch: Of the log. None is not checked.
    """

    seq: int = 0
    number: int | None = None
    epoch: int | None = None


NOTHING_KNOWN = KnownChange()


class ChangeRow(NamedTuple):
    """A subject that has changed, and the number of its last change, µs.

    Message: As it is now, of a changed message.
    """

    subject: str
    number: int
    message: LogEntry | None


class FeedPage(NamedTuple):
    """Some changes of a chat, in rising order of (number, subject).

    newest: The newest change that the reader may know of. rows: None: some changes were forgotten. more:
    Whether others follow. last: Number and subject of the last change that was read, which may be one that
    the reader may not know of.
    """

    newest: KnownChange
    rows: list[ChangeRow] | None
    more: bool = False
    last: ScoredMember = ScoredMember(0, "")


class ChangeFeed:
    """Reads what has changed in a chat. It has no keys of its own; see Chats for `changes`."""

    @staticmethod
    def after(
        chat: str, reader: str, since: ScoredMember, limit: int, known: KnownChange = NOTHING_KNOWN
    ) -> Query[FeedPage]:
        """Return the query for the changes after a number and subject, at most 4 MiB of messages.

        since: The subject is empty if all of that number are known. known: Must be in the chat, unless it was
        trimmed. Reading the reply raises ChatNotFound; NotAMember of a group or room; HistoryChanged if the
        chat does not have `known`.
        """
        at = b"" if known.number is None else known.number.to_bytes(8)
        epoch = "" if known.epoch is None else str(known.epoch)
        args = (reader, kind_of(chat), since.score, since.member, limit, PAGE_BYTES, known.seq, at, epoch)
        own = (keys.hidden(chat, reader), keys.hidings(chat, reader))
        named = (*reader_keys(chat), keys.changes(chat), *own)
        return Query(READ_CHANGES, named, args, lambda reply: _page(chat, reply))


def _page(chat: str, reply: Any) -> FeedPage:
    if isinstance(reply, int):
        raise refusal(chat, reply)
    seq, number, epoch, *rest = reply
    newest = KnownChange(seq, number, epoch)
    if not rest:
        return FeedPage(newest, None)
    more, last_number, last_subject, flat = rest
    each = zip(flat[::3], flat[1::3], flat[2::3], strict=True)
    rows = [_row(subject.decode(), number_of(raised), element) for subject, raised, element in each]
    return FeedPage(newest, rows, bool(more), ScoredMember(number_of(last_number), last_subject.decode()))


def _row(subject: str, number: int, element: bytes) -> ChangeRow:
    message = entry_of(int(subject.removeprefix(MESSAGE)), element) if element else None
    return ChangeRow(subject, number, message)
