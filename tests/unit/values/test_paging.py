"""Every kind of cursor, and the contents of a page."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.errors import BadRequest
from chalicelib.schemas.inbox import Receipt
from chalicelib.services.export.archive import ARCHIVE_CURSOR, LISTS, ArchiveCursor
from chalicelib.services.inbox.sync_token import MAX_TIME, SYNC_TOKEN, SyncToken
from chalicelib.services.values import cursors
from chalicelib.services.values.cursors import ChangeCursor, MessageCursor, MessageSearchCursor
from chalicelib.services.values.paging import (
    BASE64,
    CursorCodec,
    encoded,
    from_base64,
    page_of,
    take_fitting,
    to_base64,
    until_enough,
)
from chalicelib.store.messages.pins import PinMark
from chalicelib.store.redis.sorted_sets import ScoredMember
from chalicelib.store.search import SearchEntry

SEQS = st.integers(0, 10**15 - 1)
TIMES = st.integers(0, 10**16 - 1)
HANDLES = st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,31}", fullmatch=True)
LINES = st.text(min_size=1, max_size=200)
TERMS = st.text(max_size=64).filter(lambda term: "\0" not in term)
MESSAGES = SEQS.map(MessageCursor) | st.builds(MessageCursor, SEQS, TIMES, TIMES)


class Kind(NamedTuple):
    """A kind of cursor, its values, and a cursor that a client has from an earlier release."""

    codec: CursorCodec[Any]
    values: st.SearchStrategy[Any]
    handed_out: str
    means: Any


KINDS = {
    "message": Kind(
        cursors.MESSAGE_CURSOR,
        MESSAGES,
        "12.1763700000000000.1763600000000000",
        MessageCursor(12, 1763700000000000, 1763600000000000),
    ),
    "change": Kind(
        cursors.CHANGE_CURSOR,
        MESSAGES.map(ChangeCursor) | st.builds(ChangeCursor, MESSAGES, TIMES, LINES),
        "12.1763700000000000.1763600000000000~1763700000000001.m:bob",
        ChangeCursor(MessageCursor(12, 1763700000000000, 1763600000000000), 1763700000000001, "m:bob"),
    ),
    "user": Kind(
        cursors.USER_CURSOR,
        st.builds(ScoredMember, TIMES, HANDLES),
        "1763700000000000.bob.smith",
        ScoredMember(1763700000000000, "bob.smith"),
    ),
    "chat": Kind(
        cursors.CHAT_CURSOR,
        st.builds(ScoredMember, TIMES, LINES),
        "1763700000000000.ann:bob",
        ScoredMember(1763700000000000, "ann:bob"),
    ),
    "message search": Kind(
        cursors.MESSAGE_SEARCH_CURSOR,
        st.builds(MessageSearchCursor, TIMES, TIMES, TIMES, TIMES, TIMES, st.none() | LINES),
        "5.4.3.2.1.ann:bob",
        MessageSearchCursor(5, 4, 3, 2, 1, "ann:bob"),
    ),
    "room": Kind(
        cursors.ROOM_CURSOR,
        st.builds(ScoredMember, TIMES, HANDLES.map("r-{}".format)),
        "1763700000000000.r-club",
        ScoredMember(1763700000000000, "r-club"),
    ),
    "pin": Kind(
        cursors.PIN_CURSOR,
        st.builds(PinMark, TIMES, SEQS),
        "1763700000000000.12",
        PinMark(1763700000000000, 12),
    ),
    "scheduled": Kind(
        cursors.SCHEDULED_CURSOR,
        st.builds(ScoredMember, TIMES, st.from_regex(r"[0-9a-f]{32}", fullmatch=True)),
        "1763700000000000.0195a1c26f1e7a519d532f8d8c3f1a10",
        ScoredMember(1763700000000000, "0195a1c26f1e7a519d532f8d8c3f1a10"),
    ),
    "report": Kind(
        cursors.REPORT_CURSOR,
        st.builds(cursors.ReportMark, TIMES, SEQS, HANDLES),
        "1763700000000000.12.bob.smith",
        cursors.ReportMark(1763700000000000, 12, "bob.smith"),
    ),
    "reaction": Kind(
        cursors.REACTION_CURSOR,
        st.builds(cursors.ReactionMark, st.sampled_from(["👍", "❤️"]), HANDLES),
        "8J-RjQBib2I",
        cursors.ReactionMark("👍", "bob"),
    ),
    "search": Kind(
        cursors.SEARCH_CURSOR,
        st.builds(SearchEntry, TERMS, HANDLES),
        "YW5uIGxlZQBhbm4",
        SearchEntry("ann lee", "ann"),
    ),
    "archive": Kind(
        ARCHIVE_CURSOR,
        st.sampled_from(LISTS).map(ArchiveCursor)
        | st.builds(ArchiveCursor, st.sampled_from(LISTS), TIMES, LINES),
        "messages.12.ann:bob",
        ArchiveCursor("messages", 12, "ann:bob"),
    ),
    "sync": Kind(
        SYNC_TOKEN,
        st.builds(
            SyncToken,
            version=st.integers(0, MAX_TIME),
            lineage=st.binary(min_size=8, max_size=8).map(bytes.hex),
            floor=st.integers(0, MAX_TIME),
            at=st.integers(0, MAX_TIME),
            began=st.integers(0, MAX_TIME),
        ),
        "AgAGRM2rtMgAASNFZ4mrze8AAAAAAAAAAwAAAAAAAAAEAAAAAAAAAAU",
        SyncToken(1764500000000000, "0123456789abcdef", 3, 4, 5),
    ),
}
EACH_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


# --- cursors


def test_every_kind_of_cursor_is_tested_here() -> None:
    """Each codec of values/cursors.py is one of the kinds above."""
    codecs = {codec for codec in vars(cursors).values() if isinstance(codec, CursorCodec)}

    assert len(codecs) > 5
    assert codecs <= {kind.codec for kind in KINDS.values()}


def refusal(kind: Kind, text: str, field: str) -> BadRequest | None:
    """Return the error for an invalid cursor of a kind, or None for a valid one."""
    try:
        kind.codec.decode(text, field)
    except BadRequest as refused:
        return refused
    return None


@EACH_KIND
@given(data=st.data())
def test_every_cursor_decodes_to_its_value(kind: Kind, data: st.DataObject) -> None:
    """Any value that ends a page survives its cursor."""
    value = data.draw(kind.values)

    assert kind.codec.decode(kind.codec.encode(value), "cursor") == value


def test_search_cursor_is_read_with_padding() -> None:
    """A client whose library pads base64url gets the next page of its search all the same."""
    value = SearchEntry("ann lee", "bob")
    text = cursors.SEARCH_CURSOR.encode(value)
    padded = text + "=" * (-len(text) % 4)

    assert padded != text
    assert cursors.SEARCH_CURSOR.decode(padded, "cursor") == value


@EACH_KIND
def test_cursors_of_earlier_releases_stay_what_they_are(kind: Kind) -> None:
    """A client's cursor of an earlier release is read and written as before."""
    assert kind.codec.decode(kind.handed_out, "cursor") == kind.means
    assert kind.codec.encode(kind.means) == kind.handed_out


@EACH_KIND
@given(
    text=st.text(max_size=80) | st.text("0123456789.~:abcr-_", max_size=80),
    field=st.sampled_from(["after", "cursor"]),
)
def test_any_other_text_is_refused_and_the_field_named(kind: Kind, text: str, field: str) -> None:
    """A text is a cursor that encodes to itself, or a BadRequest that names the field."""
    if refused := refusal(kind, text, field):
        assert [(error.field, error.detail) for error in refused.errors] == [(field, kind.codec.hint)]
        return
    value = kind.codec.decode(text, field)
    assert kind.codec.decode(kind.codec.encode(value), field) == value


@EACH_KIND
@pytest.mark.parametrize(
    "change", [lambda text: text + "\n", lambda text: " " + text, lambda text: "", lambda text: "\ud800"]
)
def test_a_damaged_cursor_is_refused(kind: Kind, change: Any) -> None:
    """Blanks around a cursor, no text and half of a surrogate pair are refused."""
    damaged = change(kind.handed_out)
    if damaged.endswith("\n") and kind in [
        KINDS[name] for name in ("change", "chat", "message search", "archive")
    ]:
        return  # their last field is any text
    with pytest.raises(BadRequest):
        kind.codec.decode(damaged, "cursor")


@given(raw=st.binary(min_size=1))
def test_base64_has_no_padding(raw: bytes) -> None:
    """Bytes in base64url fit a query unescaped, and can be read again."""
    assert BASE64.fullmatch(to_base64(raw))
    assert from_base64(to_base64(raw)) == raw


# --- pages

SIZES = st.lists(st.integers(0, 50), max_size=20)


@given(sizes=SIZES, most=st.integers(0, 200), limit=st.none() | st.integers(1, 5))
def test_a_page_takes_as_many_rows_as_fit(sizes: list[int], most: int, limit: int | None) -> None:
    """A page has the leading rows that fit, and the first one whatever its size."""
    taken = take_fitting(sizes, lambda size: size, most, limit)
    shown = [size for size in taken if size]

    assert taken == sizes[: len(taken)]
    assert len(shown) <= 1 or (sum(taken) <= most and (limit is None or len(shown) <= limit))
    if following := sizes[len(taken) :]:
        assert shown
        assert sum(taken) + following[0] > most or len(shown) == limit


def test_no_row_is_made_beyond_the_first_that_does_not_fit() -> None:
    """Rows are made only as the page needs them."""
    rows = iter(range(10, 20))

    assert take_fitting(rows, lambda _: 10, 25) == [10, 11]
    assert next(rows) == 13


@given(sizes=SIZES, enough=st.integers(1, 200))
def test_parts_are_read_until_they_are_enough(sizes: list[int], enough: int) -> None:
    """Parts end with the one that suffices, or with the last; later ones are not read."""
    parts = iter(sizes)
    taken = list(until_enough(parts, lambda size: size, enough))

    assert taken == sizes[: len(taken)]
    assert sum(taken[:-1]) < enough
    assert sum(taken) >= enough or taken == sizes
    assert list(parts) == sizes[len(taken) :]


@given(found=st.lists(st.integers(), max_size=10), limit=st.integers(1, 12))
def test_a_page_has_a_next_if_more_rows_were_found(found: list[int], limit: int) -> None:
    """A full page ends with the cursor of its last row; a page of all rows has no next."""
    rows, following = page_of(found, limit, str)

    assert rows == found[:limit]
    assert following == (str(found[limit - 1]) if len(found) > limit else None)


def test_an_encoded_row_is_sent_as_it_was_measured() -> None:
    """A row that was encoded to be measured is the same on the page."""
    row = Receipt(handle="ann", read=1, received=2)

    assert msgspec.json.encode([encoded(row)]) == msgspec.json.encode([row])
    assert len(encoded(row)) == len(msgspec.json.encode(row))
