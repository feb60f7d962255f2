"""The chats and messages of a user, for the archive."""

from __future__ import annotations

import msgspec

from chalicelib.schemas.export import ExportedChat, ExportedMessage
from chalicelib.services.export.parts import ENOUGH_BYTES, Part
from chalicelib.services.values.times import rfc3339
from chalicelib.services.views import message_row
from chalicelib.services.views.inbox_row import row
from chalicelib.store.chats.chats import Chats, ChatSnapshot
from chalicelib.store.chats.info import Member, Other
from chalicelib.store.chats.summary import MembershipState, Summaries, Summary
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.messages.log import LogEntry, MessageLog
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.sorted_sets import ScoredMember
from chalicelib.texts import folded

CHATS = 100
"""Chats in one part."""
READS, MESSAGES = 64, 1000
"""Reads of logs that one part takes at the most, and messages in each."""


class ChatExports:
    """Reads a user's chats, in the order of their ids, and the user's own messages in each."""

    def __init__(
        self, store: Store, inboxes: Inboxes, summaries: Summaries, chats: Chats, log: MessageLog
    ) -> None:
        self._store = store
        self._inboxes = inboxes
        self._summaries = summaries
        self._chats = chats
        self._log = log

    def chats(self, handle: str, below: ScoredMember | None) -> Part:
        """Return a part of the chats that the user has or had; below: of the last chat shown."""
        waiting = [chat for chat in self._all(handle) if below is None or chat > below.member]
        ids = waiting[:CHATS]
        summaries = self._store.fetch_all(self._summaries.of(chat, handle) for chat in ids)
        views = self._store.fetch_all(self._chats.viewing(chat, handle) for chat in ids)
        shown = [
            _chat(summary, view, handle)
            for summary, view in zip(summaries, views, strict=True)
            if summary.state not in (MembershipState.NONE, MembershipState.GONE)
        ]
        return Part(shown, ScoredMember(0, ids[-1]) if len(waiting) > CHATS else None)

    def messages(self, handle: str, below: ScoredMember | None) -> Part:
        """Return a part of the messages that the user sent, by chat and seq; below: the last one looked at.

        Logs are read whole, for a user's own messages stay theirs in a chat that they may read no more.
        """
        places = self._places(handle, below)
        found: list[ExportedMessage] = []
        size = 0
        for _ in range(READS):
            if not places or size >= ENOUGH_BYTES:
                break
            own, going_on = self._read(handle, places.pop(0))
            places[:0] = [] if going_on is None else [going_on]
            found += own
            size += len(msgspec.json.encode(own))
        return Part(found, places[0] if places else None, ends_page=True)

    def _places(self, handle: str, below: ScoredMember | None) -> list[ScoredMember]:
        """Return where to go on in each chat that is not read yet."""
        chats = self._all(handle)
        if below is None:
            return [ScoredMember(0, chat) for chat in chats]
        begun = [below] if below.member in chats else []
        return begun + [ScoredMember(0, chat) for chat in chats if chat > below.member]

    def _read(self, handle: str, place: ScoredMember) -> tuple[list[ExportedMessage], ScoredMember | None]:
        """Return the user's messages among the next of a chat, and where it goes on; None: it does not."""
        read = self._store.fetch(self._log.after(place.member, place.score, MESSAGES))
        own = [entry for entry in read.entries if folded(entry.content.sender) == handle]
        shown = [_message(place.member, entry) for entry in own]
        fitting = _fitting(shown)
        if fitting < len(shown):
            return shown[:fitting], ScoredMember(shown[fitting - 1].seq, place.member)
        last = read.entries[-1].seq if read.entries else read.head
        return shown, ScoredMember(last, place.member) if last < read.head else None

    def _all(self, handle: str) -> list[str]:
        chats = self._store.fetch(self._inboxes.chats_of(handle))
        return sorted(chats)


def _fitting(messages: list[ExportedMessage]) -> int:
    """Return how many messages it takes to have half of what a page holds."""
    size = 0
    for count, message in enumerate(messages, 1):
        size += len(msgspec.json.encode(message))
        if size >= ENOUGH_BYTES // 2:
            return count
    return len(messages)


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
    )


def _chat(summary: Summary, view: ChatSnapshot, handle: str) -> ExportedChat:
    told, since = row(summary), _since(summary, view.records[handle])
    return ExportedChat(
        chat=told.chat,
        kind=told.kind,
        state=told.state,
        role=told.role,
        name=told.name,
        since=rfc3339(since) if since else None,
        muted_until=told.muted_until,
        read=told.read,
        received=told.received,
        marked_unread=told.marked_unread,
        pinned=told.pinned,
        muted=told.muted,
        archived=told.archived,
    )


def _since(summary: Summary, record: Member | Other | None) -> int:
    """Return since when somebody stands to a chat as they do, µs; of a chat of two, since it began."""
    if record is None:
        return summary.epoch
    return record.joined if isinstance(record, Member) else record.at
