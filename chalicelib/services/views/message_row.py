"""Messages as the API shows them."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from msgspec import UNSET, structs

from chalicelib.schemas.messages import Deletion, Forwarded, Message
from chalicelib.services.values import system_events
from chalicelib.services.values.times import rfc3339
from chalicelib.store.messages.content import NO_EXTRA, LogEntry
from chalicelib.texts import folded

NO_FIELDS: Mapping[str, Any] = MappingProxyType({})
PLAIN_FIELDS = Message.__struct_fields__[: Message.__struct_fields__.index("change")]
"""The fields that a plain message can have."""
_plain_values = attrgetter(*PLAIN_FIELDS)


def message(chat: str, entry: LogEntry, fields: Mapping[str, Any] = NO_FIELDS) -> Message:
    """Return an entry of a chat's log as the API shows it.

    chat: Canonical id. fields: Of the Message, instead of those of the entry; see ReaderView.
    """
    content, sender = entry.content, folded(entry.content.sender)
    shown = Message(
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
    if content.extra is NO_EXTRA and not (fields or entry.change or entry.expires):
        return shown
    return structs.replace(shown, **{**_more(entry), **fields})


def is_plain(entry: LogEntry) -> bool:
    """Return whether a message has not changed, does not expire, and has none of the fields of Extra."""
    return entry.content.extra is NO_EXTRA and not entry.change and not entry.expires


def fields_of(shown: Message, entry: LogEntry) -> dict[str, Any]:
    """Return the fields of a message; those that no plain message has are absent from those of one.

    shown: What `message` has returned for the entry.
    """
    if is_plain(entry):
        return dict(zip(PLAIN_FIELDS, _plain_values(shown), strict=True))
    return structs.asdict(shown)


def is_partial(entry: LogEntry) -> bool:
    """Return whether a message has fields for its readers that `message` leaves out; see ReaderView."""
    content, extra = entry.content, entry.content.extra
    if extra is NO_EXTRA and not entry.root and content.reply_to is None:
        return False
    has_more = extra.forwarded is not None or bool(extra.reactions) or entry.root == entry.seq
    return has_more or (content.reply_to is not None and not entry.is_deleted)


def _more(entry: LogEntry) -> dict[str, Any]:
    """Return the fields of a message that has changed or expires."""
    extra, origin = entry.content.extra, entry.content.extra.forwarded
    deleted = Deletion(by=extra.deleted_by or None, at=rfc3339(extra.deleted)) if extra.deleted else UNSET
    return {
        "change": entry.change or UNSET,
        "edited_at": rfc3339(extra.edited) if extra.edited else UNSET,
        "deleted": deleted,
        "data": UNSET if extra.data is None else extra.data,
        "mentions": list(extra.mentions) or UNSET,
        "mentions_all": extra.mentions_all or UNSET,
        "forwarded": UNSET if origin is None else Forwarded(),
        "pinned_at": rfc3339(extra.pinned) if extra.pinned else UNSET,
        "expires_at": rfc3339(entry.expires) if entry.expires and not extra.deleted else UNSET,
    }
