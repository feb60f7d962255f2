"""Fan-out to inboxes, at once and by the sweep, on every kind of store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import MAX_FAILURES
from chalicelib.services.delivery import outbox_sweep as service
from chalicelib.services.delivery.fan_out import ChatFanOut
from chalicelib.services.delivery.outbox_sweep import OutboxSweep
from chalicelib.store import keys, partitions
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.chats.info import Relation, Role
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.messages.content import Content
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.messages.outbox import Outbox
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Runnable
from chalicelib.store.redis.sorted_sets import ScoredMember
from tests.clock import Clock
from tests.store.account_services import Crash, CrashingStore, pushes_to_nobody
from tests.store.chat_calls import GROUP, Groups
from tests.store.log_records import RawClient, write_elements

pytestmark = pytest.mark.cluster_smoke

ONE_ENGINE = pytest.mark.parametrize("engine", ["valkey"], indirect=True)
DIRECT = "ann:bob"
LATER_SECONDS = 60.0
EVERYBODY = ("ann", "bob", "cid", "dan")


class Unreachable(Store):
    """A store that has just gone."""

    def __init__(self) -> None:
        pass

    def run_all(self, queries: Iterable[Runnable[Any]]) -> list[Any]:
        """Fail."""
        raise StoreUnavailable


class Flaky(Store):
    """A store that fails for a moment, now and then; fails: numbers of the calls that fail, from 1."""

    def __init__(self, store: Store, *fails: int) -> None:
        self._inner = store
        self._fails = fails
        self._calls = 0

    def run_all(self, queries: Iterable[Runnable[Any]]) -> list[Any]:
        """Run queries, or fail."""
        self._calls += 1
        if self._calls in self._fails:
            raise StoreUnavailable
        return self._inner.run_all(queries)


class Town:
    """Chats on a store, and the inboxes of those in them; clock: the sweep's, in the store's future."""

    def __init__(self, store: Store, clock: Clock | None = None) -> None:
        self.store = store
        self.groups = Groups(store, large=3)
        self.log = MessageLog()
        self.indexed: list[str] = []
        self.departed: list[tuple[str, str]] = []
        self.clock = clock or Clock(time.time() + LATER_SECONDS)
        self.fan_out, self.outbox_sweep = self.on(store)

    def on(
        self, store: Store, index: Callable[[str], object] | None = None
    ) -> tuple[ChatFanOut, OutboxSweep]:
        """Return the fan-out and the sweep of a process that has a store of its own.

        index: makes a chat's search entries; by default the town notes the chat.
        """
        fan_out = ChatFanOut(store, Inboxes(), Outbox(), pushes_to_nobody(store))
        sweep = OutboxSweep(
            store,
            self.groups.chats,
            fan_out,
            index or self.indexed.append,
            self.depart,
            self.clock,
        )
        return fan_out, sweep

    def depart(self, handle: str, chat: str) -> None:
        """Note that a deleted account is removed from a chat."""
        self.departed.append((handle, chat))

    def send(self, chat: str, sender: str = "ann", *, tell: bool = True) -> int:
        """Send a message; return its time. tell: whether inboxes get it at once."""
        sent = self.store.run(self.log.append(chat, Content(sender, "hello")))
        if tell:
            members = chat.split(":") if ":" in chat else sent.members
            self.fan_out.deliver_change(chat, sent.time, members, [], self.depart)
        return sent.time

    def active(self, handle: str) -> dict[str, int]:
        """Return the chats in somebody's inbox, with the time of their last activity."""
        page = self.store.run(Inboxes().active(handle, None, 0, 100))
        return {mark.member: mark.score for mark in page.rows}

    def large(self, handle: str) -> list[str]:
        """Return the large chats of somebody."""
        return self.store.run(Inboxes().large(handle))

    def versions(self) -> dict[str, int]:
        """Return the newest version of everybody."""
        inboxes = Inboxes()
        moved = [(user, self.store.run(inboxes.moved(user, None, 0, 1))) for user in EVERYBODY]
        return {user: one.version for user, one in moved if one}


@pytest.fixture
def town(store: Store) -> Town:
    """Chats on the store under test, to which this process has connected."""
    store.prepare()
    return Town(store)


def logged(caplog: pytest.LogCaptureFixture) -> list[Any]:
    """Return what was logged."""
    return [line.msg for line in caplog.records if isinstance(line.msg, dict)]


def outbox(raw: RawClient) -> set[bytes]:
    """Return all pending items of all outboxes."""
    found: set[bytes] = set()
    for key in keys.all_of(keys.outbox):
        held: Any = raw.hkeys(key)
        found |= set(held)
    return found


def dumped(raw: RawClient, handle: str) -> dict[bytes, Any]:
    """Return all keys of a user as they are."""
    mine = list(raw.scan_iter(match=f"{partitions.user_partition(handle)}:*:{handle}"))
    return {key: raw.dump(key) for key in mine}


def restore(raw: RawClient, handle: str, dump: dict[bytes, Any]) -> None:
    """Write back the keys of a user."""
    for key in list(raw.scan_iter(match=f"{partitions.user_partition(handle)}:*:{handle}")):
        raw.delete(key)
    for key, value in dump.items():
        raw.restore(key, 0, value)


def test_repeated_fan_out_has_no_effect(town: Town, raw: RawClient) -> None:
    """A message is in the inboxes at once; the sweep repeats it without effect, and the outbox is empty."""
    sent = town.send(DIRECT)
    assert town.active("ann") == town.active("bob") == {DIRECT: sent}
    before = town.versions()

    assert outbox(raw) == {b"mann:bob"}
    assert town.outbox_sweep.sweep() == 1
    assert (outbox(raw), town.versions()) == (set(), before)
    assert town.outbox_sweep.sweep() == 0


def test_sweep_delivers_what_was_not_delivered_at_once(town: Town, raw: RawClient) -> None:
    """The sweep delivers what was never delivered: messages, inbox entries, search entries."""
    made = town.groups.make("bob")
    direct = town.send(DIRECT, tell=False)
    assert town.active("bob") == {}

    town.outbox_sweep.sweep()
    assert town.active("bob") == town.active("ann") == {GROUP: made.time, DIRECT: direct}
    assert town.indexed == [GROUP]
    assert outbox(raw) == set()


def test_only_what_is_late(town: Town, raw: RawClient) -> None:
    """The sweep leaves items alone that were recorded less than five seconds ago."""
    town.clock.now = town.send(DIRECT, tell=False) / 1_000_000 + 4.9
    assert town.outbox_sweep.sweep() == 0
    town.clock.now += 0.2
    assert town.outbox_sweep.sweep() == 1


def test_a_clock_that_fell_back(town: Town) -> None:
    """The sweep delivers items that were recorded by a clock ahead of the store's."""
    town.clock.now = town.send(DIRECT, tell=False) / 1_000_000 - 3600
    assert town.outbox_sweep.sweep() == 1
    assert DIRECT in town.active("bob")


def test_a_failure_fails_nothing(town: Town, caplog: pytest.LogCaptureFixture) -> None:
    """A call succeeds although the inboxes cannot be reached; the failure is logged, the sweep repairs it."""
    sent = town.send(DIRECT, tell=False)
    fan_out, _ = town.on(Unreachable())
    fan_out.deliver_change(DIRECT, sent, ["ann", "bob"], [], town.depart)
    assert [line["event"] for line in logged(caplog)] == ["delivery_pending"]

    town.outbox_sweep.sweep()
    assert town.active("bob") == {DIRECT: sent}


def test_sweep_logs_outboxes_that_it_cannot_read(town: Town) -> None:
    """A sweep that can't read the outboxes logs it."""
    with pytest.raises(StoreUnavailable):
        town.on(Unreachable())[1].sweep()


def test_a_store_that_comes_back(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep waits for a store that fails for a moment, and then delivers."""
    monkeypatch.setattr(service, "AT_ONCE", 2)
    for number in range(20):
        town.send(f"ann:user{number}", tell=False)
    pauses: list[float] = []
    _, sweep = town.on(Flaky(town.store, 3, 7, 12))
    sweep._pause = pauses.append

    assert sweep.sweep() == 20
    assert len(town.active("ann")) == 20
    assert len(pauses) == 3


def test_a_store_that_stays_away(town: Town, raw: RawClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep gives up on a store that goes once the outbox is read; all items stay in the outbox."""
    monkeypatch.setattr(service, "MAX_PAUSES", 2)
    town.send(DIRECT, tell=False)
    pauses: list[float] = []
    _, sweep = town.on(Flaky(town.store, *range(2, 100)))
    sweep._pause = pauses.append

    assert sweep.sweep() == 0
    assert len(pauses) == 2
    assert outbox(raw) == {b"mann:bob"}


def test_leaving_and_late_messages(town: Town) -> None:
    """A former member's inbox gets no message that was sent before they left and delivered later."""
    town.groups.make("bob")
    town.outbox_sweep.sweep()
    sent = town.store.run(town.log.append(GROUP, Content("ann", "hello")))
    left = town.groups.change({"bob": Relation.LEFT})
    town.fan_out.deliver_change(GROUP, left.time, left.members, left.entries, town.depart)
    town.fan_out.deliver_change(GROUP, sent.time, sent.members, [], town.depart)

    assert town.active("bob") == {}
    town.outbox_sweep.sweep()
    assert town.active("bob") == {}
    assert town.active("ann") == {GROUP: left.time}


def test_messages_before_the_place(town: Town) -> None:
    """A message that is delivered before a new member's inbox entry is not lost."""
    town.groups.make()
    joined = town.groups.change({"bob": Role.MEMBER})
    sent = town.send(GROUP)
    assert town.active("bob") == {}

    town.fan_out.deliver_change(GROUP, joined.time, joined.members, joined.entries, town.depart)
    town.outbox_sweep.sweep()
    assert town.active("bob") == town.active("ann") == {GROUP: sent}


def test_chat_that_becomes_large_leaves_its_messages_to_the_sweep(town: Town, raw: RawClient) -> None:
    """A new large chat enters every member's set of them; its messages stay pending until a sweep."""
    town.groups.make("bob", "cid")
    town.outbox_sweep.sweep()
    town.groups.change({"dan": Role.MEMBER})
    town.outbox_sweep.sweep()
    assert [town.large(user) for user in EVERYBODY] == [[GROUP]] * 4

    town.send(GROUP)
    assert outbox(raw) == {f"m{GROUP}".encode()}
    town.outbox_sweep.sweep()
    assert outbox(raw) == set()


def test_deleted_chat_leaves_every_inbox(town: Town, raw: RawClient) -> None:
    """A deleted chat leaves every inbox, even without a fan-out at once."""
    town.groups.make("bob")
    town.outbox_sweep.sweep()
    town.groups.delete()
    town.outbox_sweep.sweep()

    assert town.active("ann") == town.active("bob") == {}
    assert outbox(raw) == set()


def test_added_while_deleted(town: Town, raw: RawClient) -> None:
    """A user who was deleted while being added to a chat is removed from it by the sweep."""
    assert town.store.run(Accounts().create(Account(handle="bob")))
    town.store.run(Accounts().delete("bob"))
    town.groups.make("bob")
    town.outbox_sweep.sweep()

    assert town.departed == [("bob", GROUP)]
    assert not raw.exists(keys.inbox("bob"))
    assert outbox(raw) == set()


@ONE_ENGINE
def test_nothing_holds_up_the_rest(town: Town, raw: RawClient, caplog: pytest.LogCaptureFixture) -> None:
    """Failing and invalid items are logged and stay pending; all others are delivered."""
    sent = town.send(DIRECT, tell=False)
    raw.rpush(keys.members("g-odd"), "no hash")
    raw.hset(keys.inbox_entries("cid"), "cid:dan", b"short")
    write_elements(raw, [b"\1" + (9).to_bytes(8, "big") + b"\x90"], chat="cid:dan")
    failing = {"mg-odd": "5", "mcid:dan": "9"}
    malformed: dict[Any, str] = {
        "mg-one": "soon",
        b"\xff": "1",
        "": "1",
        "z": "1",
        "pbob": "1",
        "p\0g-one": "1",
    }
    for item, since in (failing | malformed).items():
        raw.hset(keys.outbox("cid:dan" if item == "mcid:dan" else "g-odd"), item, since)

    assert town.outbox_sweep.sweep() == 1
    assert town.active("ann") == town.active("bob") == {DIRECT: sent}
    assert len(outbox(raw)) == len(failing) + len(malformed)
    events = [line["event"] for line in logged(caplog)]
    assert sorted(events) == ["delivery_pending"] * len(failing) + ["outbox_malformed"] * len(malformed)


@ONE_ENGINE
def test_failing_sweep_logs_a_sample_and_a_count(
    town: Town, raw: RawClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep in which everything fails logs some failures, and how many more there are."""
    monkeypatch.setattr(service, "AT_ONCE", 4)
    for number in range(MAX_FAILURES + 5):
        chat = f"g-{number}"
        raw.rpush(keys.members(chat), "no hash")
        raw.hset(keys.outbox(chat), f"m{chat}", "5")

    assert town.outbox_sweep.sweep() == 0
    lines = logged(caplog)
    assert len(lines) == MAX_FAILURES + 1
    assert lines[-1] == {"event": "delivery_pending", "more": 5}


@ONE_ENGINE
def test_failing_search_entries(town: Town, raw: RawClient) -> None:
    """Search entries that fail stay pending, and keep no inbox from being right."""

    def fail(chat: str) -> None:
        raise RuntimeError("a defect")

    made = town.groups.make("bob")
    town.on(town.store, fail)[1].sweep()
    assert town.active("bob") == {GROUP: made.time}
    assert outbox(raw) == {b"i" + GROUP.encode()}


def test_message_during_fan_out_stays_pending(town: Town, raw: RawClient) -> None:
    """A message that arrives during the fan-out of the one before stays in the outbox."""
    town.groups.make("bob")
    town.outbox_sweep.sweep()
    town.send(GROUP, tell=False)

    def send(chat: str) -> None:
        town.send(GROUP, tell=False)

    raw.hset(keys.outbox(GROUP), f"i{GROUP}", "1")
    town.on(town.store, send)[1].sweep()
    assert outbox(raw) == {b"m" + GROUP.encode()}


def test_an_index_that_lost_its_last_writes(town: Town, raw: RawClient) -> None:
    """The sweep repairs an index that lost delivered writes while its items are in the outbox."""
    town.groups.make("bob")
    town.outbox_sweep.sweep()
    before = dumped(raw, "bob")
    renamed = town.groups.change({"cid": Role.MEMBER})
    town.fan_out.deliver_change(GROUP, renamed.time, renamed.members, renamed.entries, town.depart)
    town.send(DIRECT)
    town.send(GROUP)
    expected, version = town.active("bob"), town.versions()["bob"]
    restore(raw, "bob", before)
    assert town.active("bob") != expected

    town.outbox_sweep.sweep()
    assert town.active("bob") == expected
    assert town.versions()["bob"] > version


def act(town: Town) -> None:
    """Make a change of every kind, without delivery."""
    made = town.groups.make("bob", "cid")
    assert made.members is not None
    town.send(GROUP, tell=False)
    town.send(DIRECT, tell=False)
    town.groups.change({"cid": Relation.LEFT})
    town.groups.change({"dan": Relation.INVITED}, body=None)
    town.send(GROUP, "bob", tell=False)


@ONE_ENGINE
@pytest.mark.parametrize("done", [False, True])
def test_next_sweep_finishes_after_a_crash(town: Town, raw: RawClient, done: bool) -> None:
    """After a crash between any two queries of a sweep, the next one finishes the work."""
    act(town)
    town.outbox_sweep.sweep()
    expected = [town.active(user).keys() for user in EVERYBODY]
    assert expected == [{GROUP, DIRECT}, {GROUP, DIRECT}, set(), {GROUP}]
    for left in range(partitions.PARTITIONS - 1, 2 * partitions.PARTITIONS):
        raw.flushall()
        act(town)
        try:
            town.on(CrashingStore(town.store, left, done=done))[1].sweep()
        except Crash:
            town.outbox_sweep.sweep()
            assert [town.active(user).keys() for user in EVERYBODY] == expected
            assert outbox(raw) == set()
        else:
            return
    raise AssertionError("the sweep takes too many queries")


@ONE_ENGINE
def test_sweep_round_trips_depend_on_items_not_chats(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep's round trips depend on how many items are pending, not on how many chats have them."""
    for number in range(250):
        town.send(f"ann:user{number}", tell=False)
    round_trips: list[int] = []
    inner = town.store._node.execute_all

    def counted(commands: Any) -> Any:
        round_trips.append(len(commands))
        return inner(commands)

    monkeypatch.setattr(town.store._node, "execute_all", counted)
    assert town.outbox_sweep.sweep() == 250
    assert len(round_trips) == 3 + 3 + 3 + 3
    page = town.store.run(Inboxes().active("ann", None, 0, 1000))
    assert len(page.rows) == 250
    assert page.rows == sorted(page.rows, reverse=True)
    assert isinstance(page.rows[0], ScoredMember)
