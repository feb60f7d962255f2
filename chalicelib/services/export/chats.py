"""The chats and messages of a user, for the archive."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.export import ExportedChat, ExportedMessage, ExportedReaction, ExportedReport
from chalicelib.services.export.parts import ENOUGH_BYTES, Part
from chalicelib.services.values.paging import encoded, until_enough
from chalicelib.services.values.times import rfc3339
from chalicelib.services.views import message_row
from chalicelib.services.views.inbox_row import row
from chalicelib.store.chats.changes import ChatSnapshot
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.info import Member, Other
from chalicelib.store.chats.summary import MembershipState, Summaries, Summary
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.messages.content import LogEntry
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.messages.reactions import Reactions
from chalicelib.store.messages.reports import Report, Reports
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.sorted_sets import ScoredMember
from chalicelib.texts import folded

CHATS = 100
"""Maximum number of chats in one part."""
READS, MESSAGES = 64, 1000
"""Maximum number of reads for one part, and of messages or reactions in each read."""

ReadOfChat = Callable[[str, ScoredMember], tuple[list[Encoded[Any]], ScoredMember | None]]
"""Returns a user's entries among the next of a chat, and where to go on; None at its end."""


class ChatExports:
    """Reads a user's chats, in the order of their ids, and the user's own messages in each."""

    def __init__(
        self,
        store: Store,
        inboxes: Inboxes,
        summaries: Summaries,
        chats: Chats,
        log: MessageLog,
        reports: Reports,
        reactions: Reactions,
    ) -> None:
        self._store = store
        self._inboxes = inboxes
        self._summaries = summaries
        self._chats = chats
        self._log = log
        self._reports = reports
        self._reactions = reactions

    def chats(self, handle: str, below: ScoredMember | None) -> Part:
        """Return a part of the chats that the user has or had; below: the last chat shown."""
        waiting = [chat for chat in self._all(handle) if below is None or chat > below.member]
        ids = waiting[:CHATS]
        summaries = self._store.run_all(self._summaries.of(chat, handle) for chat in ids)
        views = self._store.run_all(self._chats.snapshot(chat, handle) for chat in ids)
        made = self._store.run_all(self._reports.by(chat, handle) for chat in ids)
        shown = [
            encoded(_chat(summary, view, handle, reports))
            for summary, view, reports in zip(summaries, views, made, strict=True)
            if summary.state not in (MembershipState.NONE, MembershipState.GONE)
        ]
        return Part(shown, ScoredMember(0, ids[-1]) if len(waiting) > CHATS else None)

    def messages(self, handle: str, below: ScoredMember | None) -> Part:
        """Return a part of the messages that the user sent, by chat and seq; below: the last message read.

        The whole log is read: a user owns messages also in a chat that the user may no longer read.
        """
        return self._part(handle, below, self._read)._replace(ends_page=True)

    def reactions(self, handle: str, below: ScoredMember | None) -> Part:
        """Return a part of the user's reactions, by chat and seq; below: the last reaction read.

        One that is added or removed meanwhile may move others out of sight, or show them twice.
        """
        return self._part(handle, below, self._read_reactions)

    def _part(self, handle: str, below: ScoredMember | None, read: ReadOfChat) -> Part:
        found: list[Encoded[Any]] = []
        last: ScoredMember | None = None
        reads = itertools.islice(self._reads(handle, below, read), READS)
        for part in until_enough(reads, lambda one: one.size, ENOUGH_BYTES):
            found += part.entries
            last = part.last
        return Part(found, last, ends_page=last is not None)

    def _reads(self, handle: str, below: ScoredMember | None, read: ReadOfChat) -> Iterator[Part]:
        """Yield the user's entries among the next MESSAGES of a chat, chat by chat."""
        waiting = self._starts(handle, below)
        while waiting:
            found, going_on = read(handle, waiting.pop(0))
            waiting[:0] = [] if going_on is None else [going_on]
            yield Part(found, waiting[0] if waiting else None)

    def _starts(self, handle: str, below: ScoredMember | None) -> list[ScoredMember]:
        """Return, for each chat that is not read to its end, the chat and the last seq that was read."""
        chats = self._all(handle)
        if below is None:
            return [ScoredMember(0, chat) for chat in chats]
        begun = [below] if below.member in chats else []
        return begun + [ScoredMember(0, chat) for chat in chats if chat > below.member]

    def _read(self, handle: str, start: ScoredMember) -> tuple[list[Encoded[Any]], ScoredMember | None]:
        """Return the user's messages among the next of a chat, and where to go on; None at its end."""
        seq, chat = start
        read = self._store.run(self._log.after(chat, seq, MESSAGES))
        own = [entry for entry in read.entries if folded(entry.content.sender) == handle]
        rows = list(until_enough((encoded(_message(chat, entry)) for entry in own), len, ENOUGH_BYTES // 2))
        if len(rows) < len(own):
            return rows, ScoredMember(own[len(rows) - 1].seq, chat)
        last = read.entries[-1].seq if read.entries else read.head
        return rows, ScoredMember(last, chat) if last < read.head else None

    def _read_reactions(
        self, handle: str, start: ScoredMember
    ) -> tuple[list[Encoded[Any]], ScoredMember | None]:
        """Return the user's reactions among the next of a chat, and where to go on; None at their end."""
        first, chat = start
        read = self._store.run(self._reactions.listed(chat, first, MESSAGES))
        own = [one for one in read if one.handle == handle]
        rows = [encoded(ExportedReaction(chat=chat, seq=one.seq, emoji=one.emoji)) for one in own]
        return rows, ScoredMember(first + MESSAGES, chat) if len(read) == MESSAGES else None

    def _all(self, handle: str) -> list[str]:
        chats = self._store.run(self._inboxes.chats_of(handle))
        return sorted(chats)


def _message(chat: str, entry: LogEntry) -> ExportedMessage:
    shown = message_row.message(chat, entry)
    return ExportedMessage(
        chat=chat,
        seq=shown.seq,
        sent_at=shown.sent_at,
        kind=shown.kind,
        text=shown.text,
        event=shown.event,
        reply_to=shown.reply_to,
        data=shown.data,
        forwarded=shown.forwarded,
        edited_at=shown.edited_at,
        deleted=shown.deleted,
        expires_at=shown.expires_at,
    )


def _chat(summary: Summary, view: ChatSnapshot, handle: str, reports: Sequence[Report]) -> ExportedChat:
    shown, since = row(summary), _since(summary, view.records[handle])
    return ExportedChat(
        chat=shown.chat,
        kind=shown.kind,
        state=shown.state,
        role=shown.role,
        name=shown.name,
        since=rfc3339(since) if since else None,
        muted_until=shown.muted_until,
        read=shown.read,
        received=shown.received,
        marked_unread=shown.marked_unread,
        pinned=shown.pinned,
        muted=shown.muted,
        archived=shown.archived,
        reports=[_report(one) for one in reports],
    )


def _report(report: Report) -> ExportedReport:
    return ExportedReport(
        seq=report.seq,
        reason=report.body.reason,  # type: ignore[arg-type]  # the request had it
        note=report.body.note,
        reported_at=rfc3339(report.time),
    )


def _since(summary: Summary, record: Member | Other | None) -> int:
    """Return since when the user has this relation to a chat, in µs; of a direct chat, since it began."""
    if record is None:
        return summary.epoch
    return record.joined if isinstance(record, Member) else record.at
