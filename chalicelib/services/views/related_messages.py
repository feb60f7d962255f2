"""What is shown beside replies and roots of threads: the message that is replied to, and the thread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import UNSET

from chalicelib.schemas.messages import Replied, ThreadSummary
from chalicelib.services.values import system_events
from chalicelib.services.values.message_limits import STUB_CHARACTERS
from chalicelib.services.values.times import rfc3339
from chalicelib.services.views.reader_view import Fields
from chalicelib.store.messages import threads
from chalicelib.store.messages.content import LogEntry
from chalicelib.store.messages.threads import Threads
from chalicelib.store.redis.query import Query
from chalicelib.texts import beginning, folded


class RelatedMessages:
    """Resolves the fields `replied` and `thread`; it asks only about replies and roots of threads."""

    def asking(self, chat: str, reader: str, entries: Sequence[LogEntry]) -> Query[Fields] | None:
        """Return the query for the fields; see Resolver."""
        replied = {
            one.seq: one.content.reply_to for one in entries if one.content.reply_to and not one.is_deleted
        }
        roots = [one.seq for one in entries if one.root == one.seq]
        if not replied and not roots:
            return None
        held = {one.seq: one for one in entries}
        missing = [seq for seq in replied.values() if seq not in held]
        asking = Threads.related(chat, reader, missing, roots)
        return asking.map(lambda found: _fields(replied, {**found.messages, **held}, found.threads))


def _fields(
    replied: Mapping[int, int],
    messages: Mapping[int, LogEntry],
    summaries: Mapping[int, threads.ThreadSummary],
) -> Fields:
    fields: dict[int, dict[str, Any]] = {
        seq: {"replied": _stub(messages[to])} for seq, to in replied.items() if to in messages
    }
    for root, found in summaries.items():
        summary = ThreadSummary(replies=found.replies, last=found.last, last_at=rfc3339(found.time))
        fields.setdefault(root, {})["thread"] = summary
    return fields


def _stub(entry: LogEntry) -> Replied:
    content, sender = entry.content, folded(entry.content.sender)
    text = content.text if content.event is None else system_events.sentence(sender, content.event)
    return Replied(
        seq=entry.seq,
        sender=sender,
        text=beginning(text, STUB_CHARACTERS),
        deleted=entry.is_deleted or UNSET,
    )
