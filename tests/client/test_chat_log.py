"""The order of one chat's messages, without a network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from parley_client import Message
from parley_client.chat_log import ChatLog, HistoryChanged
from parley_client.incoming import Page
from parley_client.models import ChatRow
from parley_client.state import Cursor

START = datetime(2026, 1, 1, tzinfo=UTC)
EPOCH = 7


def message(seq: int, later: int = 0) -> Message:
    """Return a message of a history; later: µs that tell it from the same seq of another history."""
    sent_at = START + timedelta(microseconds=seq * 10 + later)
    return Message(chat="a:b", seq=seq, sender="a", kind="text", text=str(seq), sent_at=sent_at)


def page(after: int, limit: int, head: int) -> Page:
    """Return a page of a log of `head` messages."""
    found = [message(seq) for seq in range(after + 1, min(after + limit, head) + 1)]
    return Page(messages=found, head=head, epoch=EPOCH, next="")


def at(seq: int) -> Cursor:
    """Return the cursor of a message."""
    return Cursor(epoch=EPOCH, seq=seq, time=message(seq).time)


@given(st.lists(st.integers(1, 12), max_size=40), st.integers(1, 5), st.integers(0, 12))
def test_each_once_and_in_order(pushed: list[int], limit: int, start: int) -> None:
    """Pulls complete any pushes in any order, each message once and in order."""
    log = ChatLog("a:b", at(start) if start else None)
    delivered: list[int] = []
    for seq in pushed:
        delivered += [one.seq for one in log.push(message(seq))]
    if log.cursor is None:
        log.begin(12, None)
    for _ in range(13):
        assert log.cursor is not None
        delivered += [one.seq for one in log.page(page(log.cursor.seq, limit, 12))]
    assert delivered == list(range(start + 1, 13))
    assert not log.behind


def test_number_given_twice_is_doubted() -> None:
    """A message with a known seq, but sent later than the newest one, causes a pull at once."""
    log = ChatLog("a:b", at(5))
    assert log.push(message(3)) == []
    assert not log.behind
    assert log.push(message(3, later=100)) == []
    assert log.urgent


def test_page_of_another_epoch() -> None:
    """A page of another history is refused."""
    log = ChatLog("a:b", Cursor(epoch=1, seq=5, time=50))
    with pytest.raises(HistoryChanged):
        log.page(page(5, 5, 12))
    assert log.cursor == Cursor(epoch=1, seq=5, time=50)


def test_page_may_skip_what_the_reader_may_not_read() -> None:
    """A page is a range of readable messages: the log does not wait for those it leaves out."""
    log = ChatLog("a:b", at(2))
    assert [one.seq for one in log.page(page(6, 5, 8))] == [7, 8]


@pytest.mark.parametrize(("backlog", "first"), [(None, 1), (0, 9), (3, 6), (50, 1)])
def test_backlog_counts_from_the_first_push(backlog: int | None, first: int) -> None:
    """A chat first known by a push begins with some messages before it."""
    log = ChatLog("a:b")
    assert log.push(message(9)) == []
    log.begin(20, backlog)
    assert log.cursor == Cursor(seq=first - 1)


@pytest.mark.parametrize(
    ("read", "head", "unread", "first"), [(0, 3, 3, 1), (7, 9, 1, 8), (0, 500, 2, 499), (9, 9, 0, None)]
)
def test_new_chat_begins_before_what_is_unread(read: int, head: int, unread: int, first: int | None) -> None:
    """A chat that is new to a client begins after the read mark, or with as many as are unread."""
    log = ChatLog("a:b")
    row = ChatRow(
        chat="a:b",
        kind="direct",
        state="member",
        epoch=EPOCH,
        cursor=str(at(head)),
        seq=head,
        read=read,
        received=0,
        unread=unread,
    )
    log.begin_unread(row)
    log.sync(row, skip=True)
    assert log.behind is (first is not None)
    assert first is None or (log.cursor and log.cursor.seq + 1) == first


def test_gap_that_nothing_fills_is_given_up() -> None:
    """The log does not wait for ever for messages that the server's log lacks."""
    log = ChatLog("a:b", at(2))
    log.push(message(9))
    assert log.behind
    log.give_up()
    assert not log.behind


def test_pages_of_hidden_messages_are_passed_over() -> None:
    """A page without the messages that the user has hidden goes on where it ends, not where they begin."""
    log = ChatLog("a:b", at(1))
    log.push(message(9))
    empty = Page(messages=[], head=9, epoch=EPOCH, next=str(at(4)))
    assert (log.page(empty), log.behind, log.cursor) == ([], True, at(4))
    part = Page(messages=[message(5)], head=9, epoch=EPOCH, next=str(at(8)))
    assert [one.seq for one in log.page(part)] == [5, 9]
    assert not log.behind
