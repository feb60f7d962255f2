"""Cursors and seqs as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import BadRequest
from chalicelib.services.values.cursors import MESSAGE_CURSOR, MessageCursor, seq_of

SEQS = st.integers(0, 10**15 - 1)
TIMES = st.integers(0, 10**16 - 1)


@given(cursor=SEQS.map(MessageCursor) | st.tuples(SEQS, TIMES, TIMES).map(MessageCursor._make))
def test_cursor_decodes_to_its_values(cursor: MessageCursor) -> None:
    """A cursor decodes to its values."""
    assert MESSAGE_CURSOR.decode(str(cursor), "after") == cursor


@pytest.mark.parametrize(
    ("text", "cursor"),
    [
        ("0", MessageCursor(0)),
        ("12", MessageCursor(12)),
        ("012", MessageCursor(12)),
        ("12.1763700000000000.1763600000000000", MessageCursor(12, 1763700000000000, 1763600000000000)),
        ("0.0.0", MessageCursor(0, 0, 0)),
    ],
)
def test_cursor_is_a_seq_or_seq_time_and_epoch(text: str, cursor: MessageCursor) -> None:
    """A cursor is a seq, or seq, time and epoch."""
    assert MESSAGE_CURSOR.decode(text, "after") == cursor


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "-1",
        "+1",
        "1.2",
        "1.2.",
        "1..3",
        "1.2.3.4",
        "1,2,3",
        "1 ",
        "1\n",
        "1e3",
        "0x1",
        "abc",
        "\u0661",
        "1.2.\u0663",
        "1" * 16,
        "1." + "2" * 17 + ".3",
    ],
)
@pytest.mark.parametrize("field", ["after", "before"])
def test_other_text_is_no_cursor(text: str, field: str) -> None:
    """Any other text is a BadRequest that names the field."""
    with pytest.raises(BadRequest) as raised:
        MESSAGE_CURSOR.decode(text, field)

    assert [error.field for error in raised.value.errors] == [field]


@pytest.mark.parametrize(("text", "seq"), [("1", 1), ("42", 42), ("9" * 15, 10**15 - 1)])
def test_seq_is_a_whole_number_from_1(text: str, seq: int) -> None:
    """A seq is a whole number from 1."""
    assert seq_of(text, "seq") == seq


@pytest.mark.parametrize("text", ["", "0", "-1", "01", "1.0", "1 ", "1\n", "\u0661", "one", "1" * 16])
def test_other_text_is_no_seq(text: str) -> None:
    """Any other text is a BadRequest that names the field."""
    with pytest.raises(BadRequest) as raised:
        seq_of(text, "seq")

    assert [error.field for error in raised.value.errors] == ["seq"]
