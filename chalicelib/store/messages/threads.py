"""The threads of a chat, and the messages that are shown beside others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from chalicelib.errors import no_message
from chalicelib.store import keys
from chalicelib.store.access import NO_MESSAGE, kind_of, reader_keys, refusal
from chalicelib.store.messages.content import LogEntry, entry_of
from chalicelib.store.messages.log import PAGE_BYTES
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

READ_RELATED = Script("messages/read_related")
READ_THREAD = Script("messages/read_thread")


class ThreadSummary(NamedTuple):
    """The replies of a thread that a reader may read.

    replies: Their number. last, time: Seq and time (µs) of the last one; 0: there is none.
    """

    replies: int
    last: int
    time: int


class Related(NamedTuple):
    """What is shown beside messages.

    messages: By seq, those that the reader may read. threads: By seqs of their roots.
    """

    messages: dict[int, LogEntry]
    threads: dict[int, ThreadSummary]


class ThreadPage(NamedTuple):
    """Some replies of a thread in rising order; epoch: Of the log, µs. more: Whether others follow.

    root: Seq of the thread's first message. first: That message; None: the reader may not read it, or it was
    trimmed.
    """

    epoch: int
    more: bool
    root: int
    first: LogEntry | None
    replies: list[LogEntry]


class Threads:
    """A thread is a message, its root, and all replies to it and to its replies. Its keys:

    `{c<NNN>}:threads:<chat>`: ZSET, no expiry: 8 bytes of a reply's seq (big-endian) -> seq of its root. A
        deleted reply leaves it. Seqs of trimmed messages may stay in it for a while; readers ignore them.

    The header of each reply in the log has its root, and that of a root its own seq, see LogEntry.
    """

    @staticmethod
    def related(chat: str, reader: str, messages: Iterable[int], roots: Sequence[int]) -> Query[Related]:
        """Return the query for messages and summaries of threads, by their seqs, as one reader sees them.

        reader: Handle, one of the two users of a direct chat. roots: Seqs of messages.
        """
        wanted = sorted(set(messages))
        args: tuple[str | int, ...] = (reader, kind_of(chat), len(wanted), *wanted, *roots)
        named = (*reader_keys(chat), keys.threads(chat), keys.hidden(chat, reader))
        return Query(READ_RELATED, named, args, lambda reply: _related(wanted, roots, reply))

    @staticmethod
    def page(
        chat: str, reader: str, seq: int, limit: int, *, after: int, time: int | None, epoch: int | None
    ) -> Query[ThreadPage]:
        """Return the query for the replies after a seq in the thread of a message, at most 4 MiB.

        seq: Of any message of the thread. time, epoch: Expected time of the message at `after` and epoch of
        the log; None: any. Reading the reply raises MessageNotFound, HistoryChanged, ChatNotFound,
        NotAMember.
        """
        at = b"" if time is None else time.to_bytes(8)
        held = "" if epoch is None else str(epoch)
        args = (reader, kind_of(chat), seq, after, at, held, limit, PAGE_BYTES)
        named = (*reader_keys(chat), keys.threads(chat), keys.hidden(chat, reader))
        return Query(READ_THREAD, named, args, lambda reply: _page(chat, seq, reply))


def _related(wanted: Sequence[int], roots: Sequence[int], reply: Any) -> Related:
    elements, flat = reply
    found = zip(wanted, elements, strict=False)
    summaries = zip(roots, flat[::3], flat[1::3], flat[2::3], strict=False)
    return Related(
        {seq: entry_of(seq, element) for seq, element in found if element},
        {root: ThreadSummary(replies, last, time) for root, replies, last, time in summaries if replies},
    )


def _page(chat: str, seq: int, reply: Any) -> ThreadPage:
    if reply == NO_MESSAGE:
        raise no_message(chat, seq)
    if isinstance(reply, int):
        raise refusal(chat, reply)
    epoch, more, root, first, flat = reply
    replies = [entry_of(at, element) for at, element in zip(flat[::2], flat[1::2], strict=True)]
    return ThreadPage(epoch, bool(more), root, entry_of(root, first) if first else None, replies)
