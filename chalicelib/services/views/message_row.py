"""Messages as the API shows them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from msgspec import UNSET, structs

from chalicelib.schemas.messages import Deletion, Forwarded, Message
from chalicelib.services.values import system_events
from chalicelib.services.values.times import rfc3339
from chalicelib.store.messages.content import NO_EXTRA, LogEntry
from chalicelib.texts import folded

handle_of = functools.lru_cache(maxsize=4096)(folded)
"""Returns the handle of a sender, kept for other messages of the sender."""
NO_FIELDS: Mapping[str, Any] = MappingProxyType({})


def message(chat: str, entry: LogEntry, fields: Mapping[str, Any] = NO_FIELDS) -> Message:
    """Return an entry of a chat's log as the API shows it.

    chat: Canonical id. fields: Of the Message, instead of those of the entry; see ReaderView.
    """
    shown = plain_message(chat, entry)
    if entry.content.extra is NO_EXTRA and not (fields or entry.change or entry.expires):
        return shown
    return structs.replace(shown, **{**_more(entry), **fields})


def plain_message(chat: str, entry: LogEntry) -> Message:
    """Return what `message` does for a message that `all_are_plain` has found to be plain."""
    content, sender = entry.content, handle_of(entry.content.sender)
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


def fields_of(chat: str, entry: LogEntry) -> dict[str, Any]:
    """Return the fields of the Message that `message` returns, in less time than by way of one.

    Of a plain message, fields that it does not have are absent.
    """
    content = entry.content
    is_special = content.extra is not NO_EXTRA or entry.change or entry.expires
    if is_special or content.event is not None:
        return structs.asdict(message(chat, entry))
    fields = {
        "chat": chat,
        "seq": entry.seq,
        "id": content.id,
        "sender": handle_of(content.sender),
        "kind": content.kind,
        "text": content.text,
        "sent_at": rfc3339(entry.time),
    }
    if content.reply_to:
        fields["reply_to"] = content.reply_to
    return fields


def is_partial(entry: LogEntry) -> bool:
    """Return whether a message has fields for its readers that `message` leaves out; see ReaderView."""
    content, extra = entry.content, entry.content.extra
    if extra is NO_EXTRA and not entry.root and content.reply_to is None:
        return False
    has_more = extra.forwarded is not None or bool(extra.reactions) or entry.root == entry.seq
    return has_more or (content.reply_to is not None and not entry.is_deleted)


def all_are_plain(entries: Iterable[LogEntry]) -> bool:
    """Return whether no message is hidden, changed or partial, expires, or has anything of Extra."""
    for _, _, content, change, expires, root in entries:
        if content.extra is not NO_EXTRA or content.reply_to is not None or change or expires or root:
            return False
    return True


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
