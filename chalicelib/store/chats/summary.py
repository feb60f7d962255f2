"""Summaries: a chat as the inbox of one reader shows it."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.access import kind_of, reader_keys
from chalicelib.store.chats.info import Info, Role, expires_in, info_of
from chalicelib.store.messages.content import LogEntry, entry_of
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

READ_SUMMARY = Script("chats/read_summary")


class MembershipState(IntEnum):
    """The relation of a user to a chat. NONE: never in it. GONE: the chat does not exist, or is deleted."""

    NONE = 0
    MEMBER = 1
    INVITED = 2
    REQUESTED = 3
    BANNED = 4
    LEFT = 5
    GONE = 6


class Summary(NamedTuple):
    """A chat as one of its readers sees it; hidden fields are 0 or None. Times in µs since 1970.

    info: Of a group or room, for members, invited users, and users who may join or ask to. members: Their
    number; 0 without info. base, head: The reader may read messages with seqs above base, up to head. time:
    Of the newest of those messages. last: The newest that the reader has not hidden, if any. change: Seq and
    number of the newest change, see ChangeFeed. read, received: Seqs. stamp, flags: See ReadStates. unread:
    Number of messages that count as unread. mentions: Number of these that mention the reader. expires_in:
    Seconds after which new messages expire; 0: never.
    """

    chat: str
    state: MembershipState
    role: Role | None
    muted_until: int
    info: Info | None
    members: int
    base: int
    head: int
    epoch: int
    time: int
    last: LogEntry | None
    change: tuple[int, int] | None
    read: int
    received: int
    stamp: int
    flags: int
    unread: int
    large: bool
    expires_in: int = 0
    mentions: int = 0


class Summaries:
    """Sums up chats for their readers; it has no keys of its own."""

    @staticmethod
    def of(chat: str, handle: str) -> Query[Summary]:
        """Return the query for a chat as one reader sees it, who is one of the two users of a direct chat."""
        named = (*reader_keys(chat), keys.uncounted(chat), keys.changes(chat), keys.mentions(chat))
        named += keys.hidden(chat, handle), keys.hidings(chat, handle)
        return Query(READ_SUMMARY, named, (handle, kind_of(chat)), lambda reply: _summary(chat, reply))


def _summary(chat: str, reply: Any) -> Summary:
    state, role, muted, base, head, epoch, time, seq, element, change, changed = reply[:11]
    read, received, stamp, flags, unread, large, members, mentions = reply[11:19]
    last = entry_of(seq, element) if element else None
    fields = reply[19:]
    return Summary(
        chat=chat,
        state=MembershipState(state),
        role=Role(role) if role else None,
        muted_until=muted,
        info=info_of(fields, members),
        members=members,
        base=base,
        head=head,
        epoch=epoch,
        time=time,
        last=last,
        change=(change, changed) if change else None,
        read=read,
        received=received,
        stamp=stamp,
        flags=flags,
        unread=unread,
        large=bool(large),
        mentions=mentions,
        expires_in=expires_in(dict(zip(fields[::2], fields[1::2], strict=True))),
    )
