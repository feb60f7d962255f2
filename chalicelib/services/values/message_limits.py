"""Limits of a message, and of the messages in one reply."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from chalicelib.errors import TextTooLong, bad_field
from chalicelib.schemas.messages import MAX_DATA_BYTES, MAX_DATA_DEPTH, MAX_ID_CHARACTERS, MAX_TEXT_BYTES
from chalicelib.services.values.paging import take_fitting
from chalicelib.store.messages.content import NO_EXTRA, LogEntry
from chalicelib.texts import check_line, described, has_visible

REPLY_BYTES = 4 * 1024 * 1024
LONGEST_CHARACTER = 12
"""Maximum size of a character in JSON inside ASCII-only JSON: an emoji is two escapes of 6 bytes."""
LONGEST_NAMES = 2048
STUB_CHARACTERS = 128
"""Maximum number of characters of the text in the stub of a message that is replied to."""
REACTION_BYTES = 64
"""Maximum size of the fields of a reaction without its emoji."""


def checked_text(text: str, thing: str = "message", most: int = MAX_TEXT_BYTES) -> str:
    """Return a valid text unchanged; raises BadRequest or TextTooLong.

    thing: Name of what has the text, for the error.
    most: Maximum size in bytes of UTF-8.
    """
    if not has_visible(text):
        raise bad_field("text", f"a {thing} needs at least one visible character")
    if "\0" in text:
        raise bad_field("text", described("\0", text.index("\0") + 1))
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise bad_field("text", described(text[error.start], error.start + 1)) from None
    if size > most:
        raise TextTooLong(f"The text is {size} bytes of UTF-8; a {thing} has at most {most}.")
    return text


def checked_id(message_id: str | None, field: str = "id") -> str | None:
    """Return a valid idempotency id unchanged; raises BadRequest naming the field."""
    if message_id is None:
        return None
    check_line(message_id, field, "an id", MAX_ID_CHARACTERS)
    return message_id


def checked_data(data: dict[str, Any], field: str = "data") -> dict[str, Any]:
    """Return a valid JSON object of an application unchanged; raises BadRequest naming the field."""
    if _depth(data) > MAX_DATA_DEPTH:
        raise bad_field(field, f"it has more than {MAX_DATA_DEPTH} levels of objects and arrays")
    size = len(msgspec.json.encode(data))
    if size > MAX_DATA_BYTES:
        raise bad_field(field, f"it has {size} bytes of JSON, and at most {MAX_DATA_BYTES} are possible")
    try:
        msgspec.msgpack.encode(data)
    except OverflowError:
        raise bad_field(field, "it has a whole number of over 64 bits; send it as a text") from None
    return data


def data_text(data: dict[str, Any], field: str) -> str:
    """Return a JSON object of an application as text, as records hold it; raises BadRequest."""
    return msgspec.json.encode(checked_data(data, field), order="deterministic").decode()


def _depth(value: Any) -> int:
    """Return the number of levels of a JSON value; more than MAX_DATA_DEPTH are not told apart."""
    level, depth = [value], 0
    while level and depth <= MAX_DATA_DEPTH:
        parts = [
            one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)
        ]
        level, depth = [one for part in parts for one in part], depth + bool(parts)
    return depth


def fitting(entries: list[LogEntry], chat: str) -> list[LogEntry]:
    """Return as many leading entries as fit in a reply of 4 MiB, at least one.

    chat: the name of the chat, which each message repeats.
    The size is the one that Lambda counts. Lambda carries the body as a JSON string, which its runtimes up to
    Python 3.11 write in ASCII: JSON's escapes are escaped again, and a character beyond ASCII takes 6 or 12
    bytes.
    """
    if _characters(entries) * LONGEST_CHARACTER + len(entries) * LONGEST_NAMES < REPLY_BYTES:
        return entries
    overhead = 256 + carried_bytes(chat)
    return take_fitting(
        entries,
        lambda entry: (
            overhead
            + carried_bytes(entry.content)
            + _event_bytes(entry) * LONGEST_CHARACTER
            + len(entry.content.extra.reactions) * REACTION_BYTES
            + _stub_bytes(entry)
        ),
        REPLY_BYTES,
    )


def carried_bytes(value: Any) -> int:
    """Return the size of a part of a reply in the JSON string as which Lambda carries it."""
    return len(json.dumps(msgspec.json.encode(value).decode()))


def _event_bytes(entry: LogEntry) -> int:
    """Return the size of an event, of which a system message's text is made."""
    return len(msgspec.json.encode(entry.content.event)) if entry.content.event else 0


def _characters(entries: Iterable[LogEntry]) -> int:
    """Return an upper bound of the number of characters of messages, without their names."""
    characters = 0
    for entry in entries:
        content = entry.content
        characters += len(content.text)
        if content.extra is not NO_EXTRA or content.reply_to or content.event is not None:
            characters += _more_characters(entry)
    return characters


def _more_characters(entry: LogEntry) -> int:
    """Return an upper bound of the number of characters of a message, without its names and its text."""
    extra, stub = entry.content.extra, _stub_bytes(entry) // LONGEST_CHARACTER
    size = _event_bytes(entry) + stub
    if extra is NO_EXTRA:
        return size
    return size + len(msgspec.json.encode(extra)) + len(extra.reactions) * REACTION_BYTES


def _stub_bytes(entry: LogEntry) -> int:
    """Return the maximum size of the stub of the message that a reply answers."""
    return STUB_CHARACTERS * LONGEST_CHARACTER + LONGEST_NAMES if entry.content.reply_to else 0
