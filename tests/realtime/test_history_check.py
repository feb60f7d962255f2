"""The checker refuses bad histories, so an accepted history is good."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.realtime.history_check import Entry, History, violations

CHATS = {"a:b": ("a", "b/1", "b/2"), "g-1": ("a", "b/1", "b/2", "c"), "r-1": ("c",)}
DEVICES = ("a", "b/1", "b/2", "c")


def entry(chat: str, seq: int) -> Entry:
    """Return a message; the first of each chat has no sending device, like a group's first one."""
    sender = CHATS[chat][seq % len(CHATS[chat])].split("/")[0]
    return Entry(chat, seq, f"{chat}-{seq}" if seq > 1 else None, sender, f"text {seq}")


def good() -> History:
    """Return what all saw when nothing went wrong: five messages of each chat, by turns."""
    everything = [entry(chat, seq) for seq in range(1, 6) for chat in CHATS]
    sent = [one for one in everything if one.id]
    return History(
        sent=[str(one.id) for one in sent],
        acknowledged=sent,
        handed={name: [one for one in everything if name in CHATS[one.chat]] for name in DEVICES},
        logs={
            name: {
                chat: [one for one in everything if one.chat == chat] for chat in CHATS if name in CHATS[chat]
            }
            for name in DEVICES
        },
    )


def handed(device: str, change: Callable[[list[Entry]], object]) -> History:
    """Return a history in which one device received something else."""
    history = good()
    was = list(history.handed[device])
    change(was)
    return history._replace(handed={**history.handed, device: was})


def logged(device: str, chat: str, change: Callable[[list[Entry]], object]) -> History:
    """Return a history in which REST returned something else for one device's user."""
    history = good()
    log = list(history.logs[device][chat])
    change(log)
    return history._replace(logs={**history.logs, device: {**history.logs[device], chat: log}})


def swap(entries: list[Entry], one: int, other: int) -> None:
    """Swap two entries."""
    entries[one], entries[other] = entries[other], entries[one]


def without(history: History, chat: str, seq: int) -> History:
    """Return a history whose store has lost a message that no device received."""

    def kept(entries: list[Entry]) -> list[Entry]:
        return [one for one in entries if (one.chat, one.seq) != (chat, seq)]

    return history._replace(
        handed={name: kept(list(was)) for name, was in history.handed.items()},
        logs={
            name: {of: kept(list(log)) for of, log in chats.items()} for name, chats in history.logs.items()
        },
    )


def test_history_that_keeps_the_promise_has_no_violation() -> None:
    """A history that keeps the promise has no violation."""
    assert violations(good()) == []


def test_chats_may_interleave_in_any_way() -> None:
    """The order between two chats promises nothing."""
    assert violations(handed("a", lambda was: was.sort(key=lambda one: one.chat))) == []


BAD = {
    "a gap": (handed("a", lambda was: was.remove(entry("a:b", 3))), "a was never handed a:b 3"),
    "an end that is missing": (
        handed("c", lambda was: was.remove(entry("r-1", 5))),
        "c was never handed r-1 5",
    ),
    "a double": (handed("b/2", lambda was: was.append(entry("g-1", 5))), "b/2 was handed 2 times g-1 5"),
    "a swap": (handed("c", lambda was: swap(was, 0, 2)), "c was handed g-1 1 (id None of b) after 2"),
    "another's chat": (
        handed("a", lambda was: was.append(entry("r-1", 1))),
        "a was handed what its log does not have: r-1 1",
    ),
    "another text": (
        handed("a", lambda was: was.__setitem__(0, entry("a:b", 1)._replace(text="x"))),
        "a was handed what its log does not have: a:b 1",
    ),
    "a device that heard nothing": (handed("b/1", list.clear), "b/1 was never handed g-1 5"),
    "a device that is not there": (good()._replace(handed={}), "seen of one side only: ['a', 'b/1'"),
    "an acknowledged message that is lost at the end": (
        without(good(), "a:b", 5),
        "acknowledged and lost: a:b 5",
    ),
    "an acknowledged message that is lost": (without(good(), "a:b", 3), "acknowledged and lost: a:b 3"),
    "a number that another message took": (
        good()._replace(acknowledged=[*good().acknowledged, entry("a:b", 3)._replace(id="x")]),
        "acknowledged as a:b 3 (id x of a), stored as a:b 3 (id a:b-3 of a)",
    ),
    "a send without an answer": (
        good()._replace(acknowledged=good().acknowledged[1:]),
        "sent and never acknowledged: id a:b-2",
    ),
    "a message that nobody sent": (good()._replace(sent=good().sent[1:]), "stored and never sent: id a:b-2"),
    "a message stored twice": (
        logged("c", "r-1", lambda log: log.append(entry("r-1", 5)._replace(seq=6))),
        "stored 2 times: id r-1-5 in r-1",
    ),
    "a log with a gap": (logged("c", "r-1", lambda log: log.pop(2)), "c's log of r-1: 4 follows 2"),
    "a log with a double": (
        logged("c", "r-1", lambda log: log.insert(2, entry("r-1", 2))),
        "c's log of r-1: 2 follows 2",
    ),
    "logs that differ": (
        logged("c", "g-1", lambda log: log.__setitem__(4, entry("g-1", 5)._replace(text="x"))),
        "c's log of g-1 has g-1 5",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_each_broken_promise_is_a_violation_that_says_where(name: str) -> None:
    """Each broken promise is a violation whose words say where."""
    history, words = BAD[name]
    assert [one for one in violations(history) if one.startswith(words)], violations(history)


@given(st.data())
def test_any_other_handing_over_is_refused(data: st.DataObject) -> None:
    """A history is refused unless a device received the log, chat by chat."""
    device = data.draw(st.sampled_from(DEVICES))
    all_of_it = good().handed[device]
    was = data.draw(
        st.one_of(
            st.permutations(all_of_it),
            st.lists(st.sampled_from(all_of_it), max_size=20),
            st.lists(st.integers(0, len(all_of_it) - 1), max_size=3).map(
                lambda dropped: [one for index, one in enumerate(all_of_it) if index not in dropped]
            ),
        )
    )
    complete = Counter(was) == Counter(all_of_it)
    ordered = all(
        before.seq < after.seq
        for chat in CHATS
        for before, after in pairwise([one for one in was if one.chat == chat])
    )
    found = violations(good()._replace(handed={**good().handed, device: was}))
    assert (not found) == (complete and ordered), found
