"""A chat's log against a plain list, through sends, repeats, pages and crashes of the store."""

from __future__ import annotations

import time
from collections import Counter
from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chalicelib.errors import HistoryChanged, IdConflict, StoreUnavailable
from chalicelib.store.messages.append_result import Appended
from chalicelib.store.messages.content import Content, LogEntry
from chalicelib.store.messages.log import LogPage
from chalicelib.store.redis.client import connect
from tests.servers.engines import Engine, ValkeyEngine
from tests.store.log_records import CHAT, Log, settings_for

pytestmark = pytest.mark.long

BACK_SECONDS = 60.0
EXAMPLES = 25
MAX_CRASHES = 2
"""The maximum in one example; a start of the store takes as long as hundreds of calls."""

SENDERS = st.sampled_from(["ann", "Ann", "bob"])
TEXTS = st.text(min_size=1, max_size=40) | st.just("x" * 16_384)
IDS = st.none() | st.sampled_from(["id-1", "id-2", "id-3"])
LIMITS = st.integers(1, 7) | st.just(1000)


class Sent(NamedTuple):
    """A message as the model has it."""

    content: Content
    appended: Appended


class LogMachine(RuleBasedStateMachine):
    """Does the same to a Log and to a list, and compares.

    engine: an empty store that keeps its data across a crash. keep: maximum number of messages in the log.
    done: counts of the exercised cases.
    """

    def __init__(self, engine: Engine, keep: int, done: Counter[str]) -> None:
        super().__init__()
        engine.flush()
        self._engine, self._keep, self._done = engine, keep, done
        self._store = connect(settings_for(engine))
        self._log = Log(self._store, keep)
        self._crashes = 0
        self._sent: list[Sent] = []
        self._by_id: dict[tuple[str, str], Sent] = {}

    @property
    def _base(self) -> int:
        return max(len(self._sent) - self._keep, 0) if self._keep else 0

    def _check_page(self, page: LogPage, first: int, last: int) -> None:
        """Compare a page with the messages first to last, seqs, both included."""
        expected = [
            LogEntry(one.appended.seq, one.appended.time, one.content)
            for one in self._sent[max(first - 1, self._base) : max(last, 0)]
        ]
        assert page.entries == expected
        assert (page.base, page.head) == (self._base, len(self._sent))
        assert page.epoch == (self._sent[0].appended.time if self._sent else 0)

    @initialize(length=st.integers(0, 20))
    def begin(self, length: int) -> None:
        """Begin with a log of some length, trimmed or not yet."""
        for i in range(length):
            self._expect_stored(Content("ann", f"text {i}", f"begin-{i}" if i % 5 == 0 else None))

    @rule(sender=SENDERS, text=TEXTS, message_id=IDS)
    def send(self, sender: str, text: str, message_id: str | None) -> None:
        """Send a message; a repeated id gives the first message again, or a conflict."""
        content = Content(sender, text, message_id)
        known = self._by_id.get((sender.casefold(), message_id)) if message_id else None
        if known is not None and known.content.text != text:
            self._expect_conflict(content, known)
        elif known is not None:
            self._expect_duplicate(content, known)
        else:
            self._expect_stored(content)

    @precondition(lambda self: self._by_id)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        """Send a message with an id once more: it is the first one, marked duplicate."""
        known = data.draw(st.sampled_from(list(self._by_id.values())))
        self._expect_duplicate(known.content, known)

    @precondition(lambda self: self._by_id)
    @rule(data=st.data(), text=TEXTS)
    def send_conflicting(self, data: st.DataObject, text: str) -> None:
        """Use an id for another text: it is refused."""
        known = data.draw(st.sampled_from(list(self._by_id.values())))
        if text != known.content.text:
            self._expect_conflict(Content(known.content.sender, text, known.content.id), known)

    def _expect_stored(self, content: Content) -> None:
        appended = self._log.append(CHAT, content)
        last = self._sent[-1].appended if self._sent else Appended(0, 0, False, 0)
        assert (appended.seq, appended.duplicate) == (last.seq + 1, False)
        assert appended.time > last.time
        sent = Sent(content, appended)
        self._sent.append(sent)
        if content.id is not None:
            self._by_id[content.sender.casefold(), content.id] = sent
        self._done["stored"] += 1

    def _expect_duplicate(self, content: Content, known: Sent) -> None:
        assert self._log.append(CHAT, content) == known.appended._replace(duplicate=True)
        self._done["duplicate"] += 1

    def _expect_conflict(self, content: Content, known: Sent) -> None:
        with pytest.raises(IdConflict, match=rf"message {known.appended.seq}\b"):
            self._log.append(CHAT, content)
        self._done["conflict"] += 1

    @rule(limit=LIMITS)
    def pull_forward(self, limit: int) -> None:
        """Read from the start to the end by checked cursors, page by page."""
        page, reached = self._log.after(CHAT, 0, limit), self._base
        while page.entries:
            self._check_page(page, reached + 1, reached + limit)
            last = page.entries[-1]
            page, reached = (
                self._log.after(CHAT, last.seq, limit, time=last.time, epoch=page.epoch),
                last.seq,
            )
        assert reached == len(self._sent)
        self._done["forward"] += 1

    @rule(limit=LIMITS)
    def pull_backward(self, limit: int) -> None:
        """Read from the newest to the start by checked cursors, page by page."""
        page, reached = self._log.newest(CHAT, 0, limit), len(self._sent) + 1
        while page.entries:
            self._check_page(page, reached - limit, reached - 1)
            first = page.entries[0]
            page, reached = (
                self._log.before(CHAT, first.seq, limit, time=first.time, epoch=page.epoch),
                first.seq,
            )
        assert reached == (self._base + 1 if self._sent else 1)
        self._done["backward"] += 1

    @rule(skip=st.integers(0, 20), limit=LIMITS)
    def pull_newest(self, skip: int, limit: int) -> None:
        """Read the newest messages except a few."""
        last = len(self._sent) - skip
        self._check_page(self._log.newest(CHAT, skip, limit), last - limit + 1, last)

    @rule(seq=st.integers(1, 40))
    def read_one(self, seq: int) -> None:
        """Read one existing message."""
        first = max(seq, self._base + 1)
        self._check_page(self._log.after(CHAT, seq - 1, 1), first, first)

    @precondition(lambda self: self._sent)
    @rule()
    def refuse_a_foreign_cursor(self) -> None:
        """A cursor of another history is refused."""
        last = self._sent[-1].appended
        epoch = self._sent[0].appended.time
        with pytest.raises(HistoryChanged):
            self._log.after(CHAT, last.seq, 10, time=last.time + 1, epoch=epoch)
        with pytest.raises(HistoryChanged):
            self._log.before(CHAT, last.seq, 10, time=last.time, epoch=epoch + 1)

    @precondition(lambda self: self._crashes < MAX_CRASHES)
    @rule()
    def crash(self) -> None:
        """Kill the store and start it again: no answered message is lost."""
        self._crashes += 1
        self._engine.kill()
        self._engine.start()
        deadline = time.monotonic() + BACK_SECONDS
        while not self._answers():
            assert time.monotonic() < deadline, "the store is back and not found again"
            time.sleep(0.01)
        self._done["crash"] += 1

    def _answers(self) -> bool:
        try:
            self._store.ping()
        except StoreUnavailable:
            return False
        return True

    def teardown(self) -> None:
        """Crash once more, and compare the whole log."""
        self.crash()
        self._check_page(self._log.after(CHAT, 0, 1000), 1, len(self._sent))


def machine_on(engine: Engine, keep: int, done: Counter[str]) -> type[LogMachine]:
    """Return the machine for an engine, as Hypothesis wants it: a class without arguments."""

    class MachineOnEngine(LogMachine):
        def __init__(self) -> None:
            super().__init__(engine, keep, done)

    return MachineOnEngine


@pytest.mark.parametrize("keep", [0, 7])
def test_log_is_a_list(keep: int) -> None:
    """After any sends, repeats, reads and crashes of the store, the log equals the list."""
    done: Counter[str] = Counter()
    with ValkeyEngine(appendonly=True) as engine:
        run_state_machine_as_test(
            machine_on(engine, keep, done),
            settings=settings(max_examples=EXAMPLES, stateful_step_count=30),
        )

    assert done["crash"] >= EXAMPLES
    assert min(done[what] for what in ("duplicate", "conflict", "forward", "backward")) > 0
