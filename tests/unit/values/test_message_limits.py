"""The limits of a message, and of one reply."""

from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import BadRequest, TextTooLong
from chalicelib.schemas.messages import MAX_TEXT_BYTES
from chalicelib.services.values.message_limits import REPLY_BYTES, checked_id, checked_text, fitting
from chalicelib.services.values.system_events import sentence
from chalicelib.store.messages.content import Content, LogEntry

BLANKS = [chr(code) for code in range(sys.maxunicode + 1) if chr(code).isspace()]
UNSEEN = [
    "\u200b",
    "\ufeff",
    "\u202e",
    "\u3164",
    "\u2800",
    "\u200d\ufe0f",
    "\U000e0067\U000e007f",
    "\u00ad \u115f",
]
WIDTHS = {1: "x", 2: "\u00e9", 3: "\u20ac", 4: "\U0001f600"}
LAMBDA_REPLY_BYTES = 6 * 1024 * 1024


# --- text


@pytest.mark.parametrize(
    "text",
    [
        "a",
        " a",
        "a\n",
        "\t.\t",
        "<&>",
        "a\u200b",
        "\ufeffa",
        "\U0010ffff",
        "\x01",
        "\x7f",
        "\u202ea",
        "\U0001fa77",
    ],
    ids=ascii,
)
def test_text_is_kept(text: str) -> None:
    """A text is kept as sent, with blanks at its ends."""
    assert checked_text(text) == text


@pytest.mark.parametrize(
    "text", ["", *BLANKS, "".join(BLANKS), " \r\n\t ", *UNSEEN, "".join(UNSEEN)], ids=ascii
)
def test_nothing_to_see(text: str) -> None:
    """An empty text, or one of blanks and invisible characters, is a BadRequest that says so."""
    with pytest.raises(BadRequest, match="text: a message needs at least one visible character"):
        checked_text(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\0", "character 1 is U+0000"),
        ("a\0", "character 2 is U+0000"),
        (" \0 ", "character 2 is U+0000"),
        ("\ud800", "character 1 is U+D800, half of a surrogate pair"),
        ("\U0001f600\udfff", "character 2 is U+DFFF, half of a surrogate pair"),
        ("\udfff\ud800", "character 1 is U+DFFF"),
    ],
    ids=ascii,
)
def test_nul_and_lone_surrogates_are_refused(text: str, expected: str) -> None:
    """NUL and a lone surrogate are a BadRequest that names the field, the character and its position."""
    with pytest.raises(BadRequest) as raised:
        checked_text(text)

    (only,) = raised.value.errors
    assert only.field == "text"
    assert only.detail.startswith(expected)


@pytest.mark.parametrize(("width", "character"), WIDTHS.items())
def test_text_is_limited_to_sixteen_kibibytes(width: int, character: str) -> None:
    """A text has at most 16 KiB of UTF-8, to the byte, in characters of any width."""
    assert MAX_TEXT_BYTES == 16 * 1024
    full = character * (MAX_TEXT_BYTES // width)
    full += "x" * (MAX_TEXT_BYTES - len(full.encode()))

    assert checked_text(full) == full
    with pytest.raises(TextTooLong, match=f"{MAX_TEXT_BYTES + 1} bytes"):
        checked_text(full + "x")


# --- ids


@pytest.mark.parametrize(
    "given_id",
    [None, "a", "x" * 64, "a b", "\u20ac" * 64, "0195a1c2-6f1e-7a51", "{}:", "\U0001fa77", "e\u0301"],
)
def test_id_is_kept(given_id: str | None) -> None:
    """An id is kept as sent."""
    assert checked_id(given_id) == given_id


@pytest.mark.parametrize(
    "given_id", ["", " ", "x" * 65, "a\n", "a\0b", "a\u2028", "\ud800", "\u3164", "a\u202e"], ids=ascii
)
def test_invalid_id_is_refused_by_its_field(given_id: str) -> None:
    """An id that is not one line of 1-64 visible characters is a BadRequest that names the field."""
    with pytest.raises(BadRequest) as raised:
        checked_id(given_id)

    assert [error.field for error in raised.value.errors] == ["id"]


# --- replies


def entries_of(text: str, count: int, sender: str = "ann") -> list[LogEntry]:
    """Return messages of a text."""
    return [LogEntry(seq, seq, Content(sender, text, f"id-{seq}")) for seq in range(1, count + 1)]


def as_lambda_counts(entries: list[LogEntry], chat: str, *, ascii_only: bool = False) -> int:
    """Return the bytes of a /v1 page as Lambda carries it: JSON, as a string, in JSON.

    ascii_only: whether that string's JSON is ASCII, as the runtimes up to Python 3.11 write it.
    """
    page = [
        {
            "chat": chat,
            "seq": entry.seq,
            "id": entry.content.id,
            "sender": entry.content.sender,
            "kind": "text",
            "text": entry.content.text,
            "sent_at": "2026-01-01T00:00:00.000000Z",
        }
        for entry in entries
    ]
    body = json.dumps({"messages": page}, ensure_ascii=False, separators=(",", ":"))
    return len(json.dumps({"body": body}, ensure_ascii=ascii_only).encode())


@pytest.mark.parametrize("text", ["x" * 38, "\u20ac" * 100, "\x01" * 10])
def test_short_messages_fit(text: str) -> None:
    """A page of a thousand short messages is complete."""
    entries = entries_of(text, 1000)

    assert fitting(entries, "ann:bob") == entries


@pytest.mark.parametrize(
    "character", ["x", '"', "\\", "\n", "\x01", "\x7f", "\u00e9", "\u20ac", "\U0001f600"], ids=ascii
)
def test_long_messages_are_cut_to_fit(character: str) -> None:
    """A page of a thousand of the longest messages ends at the limit of a reply, and not long before."""
    entries = entries_of(character * (MAX_TEXT_BYTES // len(character.encode())), 1000)

    fit = fitting(entries, "ann:bob")

    assert fit == entries[: len(fit)]
    assert 0 < len(fit) < 1000
    assert as_lambda_counts(fit, "ann:bob") <= REPLY_BYTES < LAMBDA_REPLY_BYTES
    assert as_lambda_counts(entries[: len(fit) + 1], "ann:bob", ascii_only=True) > REPLY_BYTES * 0.95


@pytest.mark.parametrize("character", ["\u00e9", "\u20ac", "\U0001f600"], ids=ascii)
def test_long_messages_fit_an_older_runtime(character: str) -> None:
    """A page of long messages fits also where Lambda's runtime escapes non-ASCII characters."""
    entries = entries_of(character * (MAX_TEXT_BYTES // len(character.encode())), 1000)

    fit = fitting(entries, "ann:bob")

    assert as_lambda_counts(fit, "ann:bob", ascii_only=True) < LAMBDA_REPLY_BYTES


@pytest.mark.parametrize("chat", ['"' * 64 + ":" + "\\" * 64, "\U0001f600" * 64 + ":" + "\U0001f600" * 64])
@pytest.mark.parametrize("text", ["x", "x" * 1000])
def test_page_with_the_longest_names_fits_a_reply(chat: str, text: str) -> None:
    """A page with the longest and most escaped names still fits a reply."""
    fit = fitting(entries_of(text, 1000, chat.partition(":")[0]), chat)

    assert as_lambda_counts(fit, chat) <= REPLY_BYTES


def test_one_is_always_given() -> None:
    """A reply has at least one message, so that every reader can continue."""
    (only,) = entries_of("x" * (REPLY_BYTES + 1), 1)

    assert fitting([only, only], "ann:bob") == [only]
    assert fitting([], "ann:bob") == []


@given(
    lengths=st.lists(st.integers(1, MAX_TEXT_BYTES), max_size=400), character=st.sampled_from("x\x01\u20ac")
)
def test_any_page_is_cut_to_fit_a_reply(lengths: list[int], character: str) -> None:
    """The part of a page that is answered fits a reply, or is one message."""
    entries = [LogEntry(i, i, Content("ann", character * length)) for i, length in enumerate(lengths, 1)]

    fit = fitting(entries, "ann:bob")

    assert fit == entries[: len(fit)]
    assert len(fit) <= 1 or as_lambda_counts(fit, "ann:bob") <= REPLY_BYTES


@pytest.mark.parametrize("name", ["x" * 32, "\u20ac" * 64, "\U0001f600" * 64], ids=ascii)
def test_page_of_largest_system_messages_fits_a_reply(name: str) -> None:
    """A page of system messages with a hundred users each, in event and text, fits a reply."""
    event = {"type": "added", "users": [name] * 100}
    entries = [LogEntry(i, i, Content("ann", "", None, "system", event)) for i in range(1, 1001)]

    fit = fitting(entries, "g-1")
    page = [
        {
            "chat": "g-1",
            "text": sentence("ann", event),
            "event": event,
            "sent_at": "2026-01-01T00:00:00.000000Z",
        }
        for _ in fit
    ]
    body = json.dumps({"messages": page}, ensure_ascii=False)

    assert 1 < len(fit) < 1000
    assert len(json.dumps({"body": body}).encode()) < REPLY_BYTES
