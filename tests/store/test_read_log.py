"""lua/read_log.lua through Log.after, before and newest, on every kind of store."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.errors import HistoryChanged
from chalicelib.store import keys
from chalicelib.store.messages import PAGE_BYTES, Content, CorruptEntry, Entry, Slice
from tests.store.logs import CHAT, EPOCH, Log, RawClient, element, entry, header, write, write_elements

PIECE = 64
BEYOND_ANY_LOG = 2**60

Read = Callable[[Log, int, int], Slice]
READS: dict[str, Read] = {
    "after": lambda log, place, limit: log.after(CHAT, place, limit),
    "before": lambda log, place, limit: log.before(CHAT, place, limit),
    "newest": lambda log, place, limit: log.newest(CHAT, place, limit),
}
SIDES = pytest.mark.parametrize("side", READS)


def expected(side: str, history: list[Entry], place: int, limit: int) -> list[Entry]:
    """Return the page of a plain list of entries: what the store is held against."""
    if side == "after":
        return [one for one in history if one.seq > place][:limit]
    if side == "before":
        return [one for one in history if one.seq < place][-limit:]
    return history[: max(len(history) - place, 0)][-limit:]


def history_of(length: int, base: int = 0) -> list[Entry]:
    """Return the messages that a log trimmed to base holds."""
    return [entry(base + i) for i in range(1, length + 1)]


# --- pages --------------------------------------------------------------------------------------------------


@SIDES
@pytest.mark.parametrize("base", [0, 1, 1000])
@pytest.mark.parametrize("length", [0, 1, 5])
def test_small_logs(log: Log, raw: RawClient, side: str, base: int, length: int) -> None:
    """Every page of a short log, trimmed or not, is the one of a plain list."""
    history = history_of(length, base)
    write(raw, history, base=base)

    for place in {0, 1, 2, *range(max(base - 2, 0), base + length + 3), BEYOND_ANY_LOG}:
        for limit in (1, 2, 5, 1000):
            page = READS[side](log, place, limit)
            assert page == Slice(base, base + length, EPOCH, expected(side, history, place, limit))


@SIDES
@pytest.mark.parametrize("limit", [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1, 1000])
@pytest.mark.parametrize("place", [0, 1, PIECE - 1, PIECE, PIECE + 1, 200, 300, 301])
def test_across_pieces(log: Log, raw: RawClient, side: str, place: int, limit: int) -> None:
    """A page is whole however it lies on the pieces that the script reads."""
    history = history_of(300)
    write(raw, history)

    assert READS[side](log, place, limit).entries == expected(side, history, place, limit)


@SIDES
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_page(log: Log, raw: RawClient, side: str, data: st.DataObject) -> None:
    """Any page of any log is the one of a plain list."""
    length, base = data.draw(st.integers(0, 200)), data.draw(st.integers(0, 2**40))
    history = history_of(length, base)
    write(raw, history, base=base)
    near = st.integers(max(base - 3, 0), base + length + 3)

    for place in data.draw(st.lists(near | st.integers(0, 205), max_size=5)):
        limit = data.draw(st.integers(1, 1000) | st.integers(1, 5))
        page = READS[side](log, place, limit)
        assert page == Slice(base, base + length, EPOCH, expected(side, history, place, limit))


@SIDES
def test_a_thousand(log: Log, raw: RawClient, side: str) -> None:
    """A page of the largest size is whole."""
    history = history_of(1500)
    write(raw, history)

    assert READS[side](log, 250, 1000).entries == expected(side, history, 250, 1000)


@SIDES
@pytest.mark.parametrize("place", [0, 1, BEYOND_ANY_LOG, 2**64])
def test_unknown_chat(log: Log, raw: RawClient, side: str, place: int) -> None:
    """A chat without messages has empty pages, and reading it makes no key."""
    assert READS[side](log, place, 10) == Slice(0, 0, 0, [])
    assert not raw.exists(keys.log(CHAT))


@pytest.mark.parametrize("place", [0, 3, 7])
def test_after_a_trimmed_place(log: Log, raw: RawClient, place: int) -> None:
    """What follows a place that was trimmed begins at the first message there is."""
    write(raw, history_of(5, base=7), base=7)

    assert [one.seq for one in log.after(CHAT, place, 2).entries] == [8, 9]


@pytest.mark.parametrize("place", [0, 3, 7, 8])
def test_before_a_trimmed_place(log: Log, raw: RawClient, place: int) -> None:
    """Nothing precedes a place that was trimmed, nor the first message there is."""
    write(raw, history_of(5, base=7), base=7)

    assert log.before(CHAT, place, 2).entries == []


# --- 4 MiB --------------------------------------------------------------------------------------------------


def elements_of_size(size: int, count: int) -> list[bytes]:
    """Return elements of exactly this many bytes, each with a text of its own."""
    filler = size - len(element(EPOCH, "ann", "x" * 70_000)) + 70_000
    return [element(EPOCH, "ann", f"{i:05d}".ljust(filler, ".")) for i in range(1, count + 1)]


@pytest.mark.parametrize("extra", [0, 1])
def test_page_ends_before_4_mib(log: Log, raw: RawClient, extra: int) -> None:
    """A page holds elements of 4 MiB together, and not one byte more, in either direction."""
    write_elements(raw, elements_of_size(128 * 1024 + extra, 40))

    fit = PAGE_BYTES // (128 * 1024 + extra)
    assert fit == 32 - extra
    assert [one.seq for one in log.after(CHAT, 2, 1000).entries] == list(range(3, 3 + fit))
    assert [one.seq for one in log.before(CHAT, 40, 1000).entries] == list(range(40 - fit, 40))
    assert [one.seq for one in log.newest(CHAT, 1, 1000).entries] == list(range(40 - fit, 40))


@SIDES
def test_one_message_is_always_given(log: Log, raw: RawClient, side: str) -> None:
    """A message larger than a page is a page of its own, so that no reader is held up by it."""
    large = element(EPOCH, "ann", "x" * (PAGE_BYTES + 1))
    write_elements(raw, [large, large, large])

    (only,) = READS[side](log, {"after": 1, "before": 3, "newest": 1}[side], 1000).entries

    assert only.seq == 2
    assert len(only.content.text) == PAGE_BYTES + 1


# --- checked cursors ----------------------------------------------------------------------------------------


def checked(log: Log, side: str, seq: int, *, time: int | None = None, epoch: int = EPOCH) -> list[int]:
    """Read with a cursor taken from the message at seq, and return the seqs of the page."""
    read = log.after if side == "after" else log.before
    anchor = entry(seq).time if time is None else time
    return [one.seq for one in read(CHAT, seq, 3, time=anchor, epoch=epoch).entries]


CHECKED_SIDES = pytest.mark.parametrize("side", ["after", "before"])


@CHECKED_SIDES
@pytest.mark.parametrize("seq", [8, 10, 12])
def test_cursor_of_this_history(log: Log, raw: RawClient, side: str, seq: int) -> None:
    """A cursor from this very history reads on, from the first message and the last too."""
    write(raw, history_of(5, base=7), base=7)

    page = expected(side, history_of(5, base=7), seq, 3)
    assert checked(log, side, seq) == [one.seq for one in page]


@CHECKED_SIDES
@pytest.mark.parametrize("off_by", [-1, 1])
def test_cursor_of_another_message(log: Log, raw: RawClient, side: str, off_by: int) -> None:
    """A cursor whose message has another time, if only by 1 µs, is HistoryChanged."""
    write(raw, history_of(5))

    with pytest.raises(HistoryChanged):
        checked(log, side, 3, time=entry(3).time + off_by)


@CHECKED_SIDES
@pytest.mark.parametrize("off_by", [-1, 1])
@pytest.mark.parametrize("seq", [0, 3, 8])
def test_cursor_of_another_epoch(log: Log, raw: RawClient, side: str, off_by: int, seq: int) -> None:
    """A cursor of another epoch is HistoryChanged, also one whose message was trimmed."""
    write(raw, history_of(5, base=7), base=7)

    with pytest.raises(HistoryChanged):
        checked(log, side, seq, epoch=EPOCH + off_by)


@CHECKED_SIDES
@pytest.mark.parametrize("seq", [0, 3])
def test_cursor_of_a_lost_log(log: Log, side: str, seq: int) -> None:
    """A cursor of a chat that the store has lost is HistoryChanged."""
    with pytest.raises(HistoryChanged):
        checked(log, side, seq)


@CHECKED_SIDES
@pytest.mark.parametrize("seq", [6, BEYOND_ANY_LOG])
def test_cursor_past_the_end(log: Log, raw: RawClient, side: str, seq: int) -> None:
    """A cursor of a message that the store has lost is HistoryChanged, before another takes its number."""
    write(raw, history_of(5))

    with pytest.raises(HistoryChanged):
        checked(log, side, seq)


@CHECKED_SIDES
def test_cursor_after_a_failover(log: Log, raw: RawClient, side: str) -> None:
    """Where a replica that was behind has taken over, a cursor of what was lost is HistoryChanged."""
    write(raw, history_of(3))
    for i in range(5):
        log.append(CHAT, Content("bob", f"written after the failover {i}"))

    assert checked(log, side, 3) == {"after": [4, 5, 6], "before": [1, 2]}[side]
    with pytest.raises(HistoryChanged):
        checked(log, side, 4)


@CHECKED_SIDES
def test_trimmed_anchor(log: Log, raw: RawClient, side: str) -> None:
    """The time of a message that was trimmed cannot be checked, and is not."""
    write(raw, history_of(5, base=7), base=7)

    assert checked(log, side, 7, time=1) == {"after": [8, 9, 10], "before": []}[side]


def test_epoch_alone(log: Log, raw: RawClient) -> None:
    """The epoch can be checked without a time."""
    write(raw, history_of(2))

    assert log.after(CHAT, 0, 10, epoch=EPOCH).head == 2
    with pytest.raises(HistoryChanged):
        log.after(CHAT, 0, 10, epoch=EPOCH + 1)


# --- damage -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\2" + element(EPOCH, "ann", "hello")[1:], id="unknown version"),
        pytest.param(header(), id="header"),
        pytest.param(b"\1", id="no time"),
        pytest.param(b"\1" + b"\0" * 8, id="no body"),
        pytest.param(element(EPOCH, "ann", "hello")[:-1], id="body cut short"),
        pytest.param(element(EPOCH, "ann", "hello") + b"\0", id="bytes after the body"),
        pytest.param(element(EPOCH, "ann"), id="no text"),
        pytest.param(element(EPOCH, "ann", 5), id="text is a number"),
        pytest.param(element(EPOCH, "ann", b"hello"), id="text is bytes"),
        pytest.param(element(EPOCH, "ann", "hello")[:-5] + b"\xff" * 5, id="text is not UTF-8"),
        pytest.param(element(EPOCH)[:-1] + b"\xa5hello", id="body is a text"),
    ],
)
def test_corrupt_element(log: Log, raw: RawClient, damaged: bytes) -> None:
    """An element that this version cannot have written is CorruptEntry, which names its seq alone."""
    write_elements(raw, [element(EPOCH, "ann", "secret"), damaged], base=7)

    with pytest.raises(CorruptEntry, match=r"\b9\b") as raised:
        log.after(CHAT, 7, 10)

    assert "secret" not in str(raised.value)
    assert [one.seq for one in log.after(CHAT, 7, 1).entries] == [8]
