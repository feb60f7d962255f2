"""Idempotency ids: a message is appended once for each id of its sender."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from hashlib import blake2b

import msgspec

from chalicelib.store import key_rows, keys
from chalicelib.store.messages.content import Content, encode

DAY_SECONDS = 86_400
IDS_TTL_SECONDS = 2 * DAY_SECONDS
ID_DAYS = 4


def first_day() -> int:
    """Return the first of the days of which the ids are looked up; see lua/messages/append_message.lua."""
    return int(time.time()) // DAY_SECONDS - 2


@functools.lru_cache(maxsize=key_rows.KEPT_TEXTS)
def ids_keys(chat: str, day: int) -> tuple[str, ...]:
    """Return the keys of the ids of ID_DAYS from a day on, kept for the next messages of the chat."""
    return tuple([keys.ids(chat, day + after) for after in range(ID_DAYS)])


def digest_of(*parts: str) -> bytes:
    """Return the digest of texts: of a sender's handle and an id, or of a content."""
    return blake2b(encode(parts), digest_size=8).digest()


def seq_in(fingerprint: bytes, records: Sequence[bytes | None]) -> int:
    """Return the seq in the first record with a fingerprint; 0: there is none."""
    seqs = [int.from_bytes(record[16:]) for record in records if record and record[:8] == fingerprint]
    return seqs[0] if seqs else 0


def fingerprint_of(content: Content, sent_text: str | None, lifetime: int, source: str) -> bytes:
    """Return the digest by which a repeated message is recognised; see MessageLog.append."""
    text = content.text if sent_text is None else sent_text
    data = content.extra.data
    if content.reply_to is None and data is None and not lifetime and not source:
        return digest_of(content.kind, text)
    replied = () if content.reply_to is None else (str(content.reply_to),)
    expires = (f"expires_in {lifetime}",) if lifetime else ()
    if source:
        return digest_of(content.kind, "", *replied, *expires, f"forward {source}")
    given = () if data is None else (f"data {msgspec.json.encode(data, order='deterministic').decode()}",)
    return digest_of(content.kind, text, *replied, *expires, *given)
