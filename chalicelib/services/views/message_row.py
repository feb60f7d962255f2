"""Messages as the API shows them."""

from __future__ import annotations

from msgspec import UNSET

from chalicelib.schemas.messages import Message
from chalicelib.services.values import system_events
from chalicelib.services.values.times import rfc3339
from chalicelib.store.messages.content import LogEntry
from chalicelib.texts import folded


def message(chat: str, entry: LogEntry) -> Message:
    """Return an entry of a chat's log as the API shows it; chat: Canonical id."""
    content, sender = entry.content, folded(entry.content.sender)
    return Message(
        chat=chat,
        seq=entry.seq,
        id=content.id,
        sender=sender,
        kind=content.kind,
        text=content.text if content.event is None else system_events.sentence(sender, content.event),
        event=UNSET if content.event is None else system_events.shown(content.event),
        reply_to=content.reply_to or UNSET,
        sent_at=rfc3339(entry.time),
    )
