"""Messages as rows and as the fields of frames."""

from __future__ import annotations

import pytest

from chalicelib.schemas.messages import Message
from chalicelib.services.views.message_row import all_are_plain, fields_of, message
from chalicelib.store.messages.content import HIDDEN, Content, Extra, LogEntry, tombstone

PLAIN = LogEntry(3, 1_700_000_000_123_456, Content("Ann", "hello", "id-1"))
CREATED = Content("Ann", "", kind="system", event={"type": "created", "users": ["bob"]})
SPECIAL = {
    "reply": PLAIN._replace(content=Content("Ann", "hello", reply_to=2), root=2),
    "reply of an earlier version": PLAIN._replace(content=Content("Ann", "hello", reply_to=2)),
    "root": PLAIN._replace(root=3),
    "changed": PLAIN._replace(change=PLAIN.time + 1),
    "expiring": PLAIN._replace(expires=PLAIN.time + 60_000_000),
    "reactions": PLAIN._replace(content=Content("Ann", "hello", extra=Extra(reactions={"👍": 1}))),
    "data": PLAIN._replace(content=Content("Ann", "hello", extra=Extra(data={"a": 1}))),
    "deleted": PLAIN._replace(content=tombstone(PLAIN.content, PLAIN.time + 5, "ann"), change=PLAIN.time + 5),
    "hidden": PLAIN._replace(content=HIDDEN),
}


@pytest.mark.parametrize("entry", [PLAIN, PLAIN._replace(content=CREATED), *SPECIAL.values()])
def test_fields_are_those_of_the_row(entry: LogEntry) -> None:
    """A message has the same fields in a row and in a frame."""
    assert Message(**fields_of("ann:bob", entry)) == message("ann:bob", entry)


@pytest.mark.parametrize("entry", SPECIAL.values(), ids=SPECIAL)
def test_messages_with_anything_special_are_not_plain(entry: LogEntry) -> None:
    """Only messages of which all readers see no more than text, kind, id and sender are plain."""
    assert all_are_plain([PLAIN, PLAIN._replace(content=CREATED)])
    assert not all_are_plain([PLAIN, entry])
