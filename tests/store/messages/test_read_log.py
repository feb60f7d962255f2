"""lua/messages/read_log.lua through Log.after, before and newest, on every kind of store."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.errors import ChatNotFound, HistoryChanged, NotAMember
from chalicelib.store import keys
from chalicelib.store.chats.info import Relation
from chalicelib.store.messages.content import Content, CorruptEntry, LogEntry
from chalicelib.store.messages.log import PAGE_BYTES, LogPage
from tests.store.chat_records import (
    GROUP,
    Held,
    write_group,
    write_other,
    write_reader,
    write_tombstone,
)
from tests.store.log_records import CHAT, EPOCH, Log, RawClient, element, entry, header, write, write_elements

PIECE = 64
BEYOND_ANY_LOG = 2**60

Read = Callable[[Log, int, int], LogPage]
READS: dict[str, Read] = {
    "after": lambda log, position, limit: log.after(CHAT, position, limit),
    "before": lambda log, position, limit: log.before(CHAT, position, limit),
    "newest": lambda log, position, limit: log.newest(CHAT, position, limit),
}
SIDES = pytest.mark.parametrize("side", READS)


def expected(side: str, history: list[LogEntry], position: int, limit: int) -> list[LogEntry]:
    """Return the page of a plain list of entries, which the store must match."""
    if side == "after":
        return [one for one in history if one.seq > position][:limit]
    if side == "before":
        return [one for one in history if one.seq < position][-limit:]
    return history[: max(len(history) - position, 0)][-limit:]


def history_of(length: int, base: int = 0) -> list[LogEntry]:
    """Return the messages that a log trimmed to base holds."""
    return [entry(base + i) for i in range(1, length + 1)]


# --- pages --------------------------------------------------------------------------------------------------


@SIDES
@pytest.mark.parametrize("base", [0, 1, 1000])
@pytest.mark.parametrize("length", [0, 1, 5])
def test_every_page_of_a_short_log_matches_a_list(
    log: Log, raw: RawClient, side: str, base: int, length: int
) -> None:
    """Every page of a short log, trimmed or not, equals the page of a plain list."""
    history = history_of(length, base)
    write(raw, history, base=base)

    for position in {0, 1, 2, *range(max(base - 2, 0), base + length + 3), BEYOND_ANY_LOG}:
        for limit in (1, 2, 5, 1000):
            page = READS[side](log, position, limit)
            assert page == LogPage(base, base + length, EPOCH, expected(side, history, position, limit))


@SIDES
@pytest.mark.parametrize("limit", [PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1, 1000])
@pytest.mark.parametrize("position", [0, 1, PIECE - 1, PIECE, PIECE + 1, 200, 300, 301])
def test_page_is_complete_across_read_pieces(
    log: Log, raw: RawClient, side: str, position: int, limit: int
) -> None:
    """A page is complete however it lies across the pieces that the script reads."""
    history = history_of(300)
    write(raw, history)

    assert READS[side](log, position, limit).entries == expected(side, history, position, limit)


@SIDES
@settings(max_examples=50)
@given(data=st.data())
def test_any_page_of_any_log_matches_a_list(log: Log, raw: RawClient, side: str, data: st.DataObject) -> None:
    """Any page of any log equals the page of a plain list."""
    length, base = data.draw(st.integers(0, 200)), data.draw(st.integers(0, 2**40))
    history = history_of(length, base)
    write(raw, history, base=base)
    near = st.integers(max(base - 3, 0), base + length + 3)

    for position in data.draw(st.lists(near | st.integers(0, 205), max_size=5)):
        limit = data.draw(st.integers(1, 1000) | st.integers(1, 5))
        page = READS[side](log, position, limit)
        assert page == LogPage(base, base + length, EPOCH, expected(side, history, position, limit))


@SIDES
def test_page_of_the_maximum_size_is_complete(log: Log, raw: RawClient, side: str) -> None:
    """A page of the maximum size is complete."""
    history = history_of(1500)
    write(raw, history)

    assert READS[side](log, 250, 1000).entries == expected(side, history, 250, 1000)


@SIDES
@pytest.mark.parametrize("position", [0, 1, BEYOND_ANY_LOG, 2**64])
def test_unknown_chat_reads_as_empty_and_makes_no_key(
    log: Log, raw: RawClient, side: str, position: int
) -> None:
    """A chat without messages has empty pages, and reading it makes no key."""
    assert READS[side](log, position, 10) == LogPage(0, 0, 0, [])
    assert not raw.exists(keys.log(CHAT))


@pytest.mark.parametrize("position", [0, 3, 7])
def test_after_a_trimmed_position(log: Log, raw: RawClient, position: int) -> None:
    """A page after a trimmed position begins at the first stored message."""
    write(raw, history_of(5, base=7), base=7)

    assert [one.seq for one in log.after(CHAT, position, 2).entries] == [8, 9]


@pytest.mark.parametrize("position", [0, 3, 7, 8])
def test_before_a_trimmed_position(log: Log, raw: RawClient, position: int) -> None:
    """Nothing precedes a trimmed position, nor the first stored message."""
    write(raw, history_of(5, base=7), base=7)

    assert log.before(CHAT, position, 2).entries == []


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
    """A message larger than a page is a page of its own, so that every reader can continue."""
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
    """A cursor of this history continues, also from the first and the last message."""
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
    """After a failover to a replica that was behind, a cursor of a lost message is HistoryChanged."""
    write(raw, history_of(3))
    for i in range(5):
        log.append(CHAT, Content("bob", f"written after the failover {i}"))

    assert checked(log, side, 3) == {"after": [4, 5, 6], "before": [1, 2]}[side]
    with pytest.raises(HistoryChanged):
        checked(log, side, 4)


@CHECKED_SIDES
def test_time_of_a_trimmed_message_is_not_checked(log: Log, raw: RawClient, side: str) -> None:
    """The time of a trimmed message can't be checked, and is not."""
    write(raw, history_of(5, base=7), base=7)

    assert checked(log, side, 7, time=1) == {"after": [8, 9, 10], "before": []}[side]


def test_epoch_is_checked_without_a_time(log: Log, raw: RawClient) -> None:
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
def test_corrupt_element_names_only_its_seq(log: Log, raw: RawClient, damaged: bytes) -> None:
    """An element that this version can't have written is CorruptEntry, which names its seq alone."""
    write_elements(raw, [element(EPOCH, "ann", "secret"), damaged], base=7)

    with pytest.raises(CorruptEntry, match=r"\b9\b") as raised:
        log.after(CHAT, 7, 10)

    assert "secret" not in str(raised.value)
    assert [one.seq for one in log.after(CHAT, 7, 1).entries] == [8]


# --- read permissions -------------------------------------------------------------------------------------

HISTORY = history_of(9, base=3)
MAY_READ = [Relation.INVITED, Relation.REQUESTED, Relation.LEFT, Relation.DELETED]


def seen(log: Log, chat: str = GROUP, reader: str = "ann") -> tuple[int, int, list[int]]:
    """Return base, head and the seqs that a user can read, on which all ways of reading agree."""
    forward, backward = log.after(chat, 0, 100, reader=reader), log.newest(chat, 0, 100, reader=reader)
    assert forward == backward == log.before(chat, BEYOND_ANY_LOG, 100, reader=reader)
    one_by_one = [log.after(chat, seq - 1, 1, reader=reader).entries for seq in range(1, 15)]
    assert [one.seq for one in forward.entries] == sorted({one.seq for page in one_by_one for one in page})
    return forward.base, forward.head, [one.seq for one in forward.entries]


def bounds(base: int, head: int) -> tuple[int, int, list[int]]:
    """Return what `seen` returns for a reader of all messages."""
    return base, head, list(range(base + 1, head + 1))


@pytest.mark.parametrize("history", [0, 1])
@pytest.mark.parametrize("since", [0, 3, 4, 11, 12])
def test_a_member_reads_from_when_they_joined(log: Log, raw: RawClient, since: int, history: int) -> None:
    """A member reads messages after their join, and from the start where the group shows its history."""
    write(raw, HISTORY, base=3, chat=GROUP)
    write_group(raw, {"ann": since}, history=history)

    assert seen(log) == bounds(3 if history else max(since, 3), 12)


@pytest.mark.parametrize("history", [0, 1])
@pytest.mark.parametrize(("since", "upto"), [(0, 1), (0, 3), (0, 7), (5, 6), (5, 12), (5, 40)])
@pytest.mark.parametrize("relation", MAY_READ)
def test_former_member_reads_up_to_their_leave(
    log: Log, raw: RawClient, relation: Relation, since: int, upto: int, history: int
) -> None:
    """A former member, invited again or not, reads up to their leave, and sees no later head."""
    write(raw, HISTORY, base=3, chat=GROUP)
    write_group(raw, {"bob": 0}, history=history)
    write_other(raw, "ann", relation, since, upto)

    head = min(upto, 12)
    assert seen(log) == bounds(min(3 if history else max(since, 3), head), head)


@pytest.mark.parametrize("history", [0, 1])
@pytest.mark.parametrize("relation", [None, *Relation])
def test_user_who_was_never_a_member_reads_nothing(
    log: Log, raw: RawClient, relation: Relation | None, history: int
) -> None:
    """Strangers, invited users and requesters read nothing, nor do banned users, former members or not."""
    write(raw, HISTORY, base=3, chat=GROUP)
    write_group(raw, {"bob": 0}, history=history)
    if relation is not None:
        write_other(raw, "ann", relation, 0, 9 if relation is Relation.BANNED else 0)

    for side in READS:
        with pytest.raises(NotAMember):
            getattr(log, side)(GROUP, 5, 10, reader="ann")


@SIDES
@pytest.mark.parametrize("deleted", [False, True])
def test_no_such_group(log: Log, raw: RawClient, side: str, deleted: bool) -> None:
    """A missing or deleted group is not found, by former members neither."""
    write(raw, HISTORY, base=3, chat=GROUP)
    write_other(raw, "ann", Relation.LEFT, 0, 9)
    if deleted:
        write_tombstone(raw)

    with pytest.raises(ChatNotFound):
        getattr(log, side)(GROUP, 5, 10, reader="ann")


@pytest.mark.parametrize("cleared", [0, 3, 7, 12])
@pytest.mark.parametrize("flags", [0, 16])
def test_what_was_cleared(log: Log, raw: RawClient, cleared: int, flags: int) -> None:
    """In a direct chat a reader sees messages after they left it; the other user sees all."""
    write(raw, HISTORY, base=3)
    write_reader(raw, "ann", CHAT, Held(0, 0, cleared, 1, flags))

    assert seen(log, CHAT) == bounds(max(cleared, 3), 12)
    assert seen(log, CHAT, "bob") == bounds(3, 12)


@CHECKED_SIDES
@pytest.mark.parametrize("right", [True, False])
def test_cursor_beyond_what_may_be_read(log: Log, raw: RawClient, side: str, right: bool) -> None:
    """A former member cannot probe later messages: any cursor of them is HistoryChanged, right or not."""
    write(raw, HISTORY, base=3, chat=GROUP)
    write_group(raw, {"bob": 0})
    write_other(raw, "ann", Relation.LEFT, 0, 7)
    read = log.after if side == "after" else log.before

    with pytest.raises(HistoryChanged):
        read(GROUP, 8, 3, reader="ann", time=entry(8).time + (not right), epoch=EPOCH)
    assert read(GROUP, 7, 3, reader="ann", time=entry(7).time, epoch=EPOCH).head == 7


@SIDES
def test_senders_without_account(log: Log, raw: RawClient, side: str) -> None:
    """A page of a group names its senders with deleted accounts, and no others."""
    senders = ["ann", "bob", "x" * 31, "y" * 32, "\u00e9" * 64, "\u00e9" * 200, "bob", "left"]
    lines = [element(EPOCH + seq, sender, "text") for seq, sender in enumerate(senders)]
    write_elements(raw, lines, chat=GROUP)
    write_group(raw, {"ann": 0})
    for sender in ("bob", "x" * 31, "y" * 32, "\u00e9" * 64, "\u00e9" * 200, "silent"):
        write_other(raw, sender, Relation.DELETED, 0, 9)
    write_other(raw, "left", Relation.LEFT, 0, 9)

    page = getattr(log, side)(GROUP, {"after": 0, "before": 9, "newest": 0}[side], 100, reader="ann")
    assert set(page.deleted) == {"bob", "x" * 31, "y" * 32, "\u00e9" * 64, "\u00e9" * 200}
    assert len(page.deleted) == 5
    assert log.after(GROUP, 7, 1, reader="ann").deleted == ()


def test_a_corrupt_sender_is_no_error_of_the_script(log: Log, raw: RawClient) -> None:
    """An element with an unreadable sender is CorruptEntry in a group, too."""
    write_elements(raw, [b"\1" + b"\0" * 8 + b"\x92\xd9", b"\1", element(EPOCH, 5, "text")], chat=GROUP)
    write_group(raw, {"ann": 0})

    with pytest.raises(CorruptEntry):
        log.after(GROUP, 0, 10, reader="ann")
