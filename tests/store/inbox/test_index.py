"""The index of a user's chats: entries, order, and late deliveries."""

from __future__ import annotations

import time

import pytest

from chalicelib.store import keys, partitions
from chalicelib.store.accounts.accounts import Account, Accounts
from chalicelib.store.inbox.entries import Checked, InboxEntry, InboxState, MovedChat, MovedPage, Unchecked
from chalicelib.store.inbox.index import MAX_LINEAGES, Inboxes
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.sorted_sets import ScoredMember
from tests.store.log_records import RawClient

GROUP, DIRECT = "g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10", "ann:bob"
ONE, TWO = b"12345678", b"abcdefgh"
NOW = 1_800_000_000_000_000


@pytest.fixture
def inboxes(store: Store) -> Inboxes:
    """The index under test."""
    return Inboxes()


class Index:
    """The index of ann."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._inboxes = Inboxes()

    def deliver(self, chat: str, time: int, *handles: str) -> int:
        """Deliver a message, to ann by default; return how many indexes changed."""
        users = handles or ("ann",)
        before = [self._version(handle) for handle in users]
        self._store.run(self._inboxes.deliver(chat, time, users))
        return sum(self._version(handle) != one for handle, one in zip(users, before, strict=True))

    def update(self, chat: str, stamp: int, state: InboxState, active: int = 0, handle: str = "ann") -> bool:
        """Write an inbox entry; return False if the account is deleted."""
        (placed,) = self._store.run_all(
            [self._inboxes.update(chat, InboxEntry(handle, stamp, state, active))]
        )
        assert not placed.recipients
        return bool(placed.live_account)

    def active(
        self, below: ScoredMember | None = None, since: int = 0, limit: int = 100
    ) -> list[ScoredMember]:
        """Return a page by last activity."""
        return self._store.run(self._inboxes.active("ann", below, since, limit)).rows

    def large(self) -> list[str]:
        """Return the large chats."""
        return self._store.run(self._inboxes.large("ann"))

    def unchecked(self, began: int = 0, most: int = 100) -> Unchecked:
        """Return the large chats that a round of checks has not reached."""
        moved = self._store.run(self._inboxes.moved("ann", None, 0, 1, began, most))
        assert moved is not None
        return moved.large

    def check(self, began: int, *checked: Checked) -> int:
        """Record the state of large chats; return how many have moved."""
        moved = self._store.run(self._inboxes.record_checks("ann", began, checked))
        assert moved is not None
        return moved

    def moved(self, since: int = 0, lineage: str | None = None, limit: int = 100) -> MovedPage | None:
        """Return the chats that moved after a version."""
        return self._store.run(self._inboxes.moved("ann", lineage, since, limit))

    def rows(self, since: int = 0) -> list[str]:
        """Return the chats that moved after a version."""
        moved = self.moved(since)
        assert moved is not None
        return [row.chat for row in moved.rows]

    def _version(self, handle: str) -> int:
        moved = self._store.run(self._inboxes.moved(handle, None, 0, 1))
        assert moved is not None
        return moved.version

    def register(self, lineage: str, version: int) -> bool:
        """Record the version that a lineage received."""
        noted = self._store.run(self._inboxes.register("ann", lineage, version))
        assert noted is not None
        return noted


@pytest.fixture
def index(store: Store) -> Index:
    """The index of ann."""
    return Index(store)


def test_direct_chat_needs_no_place(index: Index) -> None:
    """A message brings a direct chat into the inbox; a repeated or late delivery changes nothing."""
    assert index.deliver(DIRECT, 10) == 1
    version = index.moved().version  # type: ignore[union-attr]
    assert (index.deliver(DIRECT, 10), index.deliver(DIRECT, 9)) == (0, 0)
    assert index.active() == [ScoredMember(10, DIRECT)]
    assert index.moved() == MovedPage(version, [MovedChat(DIRECT, version)], Unchecked(0, {}, more=False))


def test_group_needs_one(index: Index) -> None:
    """A group's message reaches only users with an inbox entry."""
    assert index.deliver(GROUP, 10) == 0
    index.update(GROUP, 1, InboxState.IN, 5)
    assert index.active() == [ScoredMember(5, GROUP)]
    assert index.deliver(GROUP, 10) == 1
    index.update(GROUP, 2, InboxState.OUT, 10)
    assert index.deliver(GROUP, 11) == 0
    assert index.active() == []
    assert index.rows() == [GROUP]


def test_left_direct_chat(index: Index) -> None:
    """A direct chat that was left comes back by a later message, not by a late delivery of an earlier one."""
    index.deliver(DIRECT, 10)
    index.update(DIRECT, 1, InboxState.OUT, 11)
    assert (index.deliver(DIRECT, 10), index.deliver(DIRECT, 11)) == (0, 0)
    assert index.active() == []
    assert index.deliver(DIRECT, 12) == 1
    assert index.active() == [ScoredMember(12, DIRECT)]


def test_chat_without_a_message(index: Index) -> None:
    """A chat without messages is listed by its entry's time; the first message moves it."""
    index.deliver("ann:cid", 50)
    index.update(DIRECT, 100, InboxState.IN)
    assert index.active() == [ScoredMember(100, DIRECT), ScoredMember(50, "ann:cid")]
    assert (index.deliver(DIRECT, 99), index.deliver(DIRECT, 99)) == (1, 0)
    assert index.active() == [ScoredMember(99, DIRECT), ScoredMember(50, "ann:cid")]


def test_earlier_inbox_entry_does_not_replace_a_later_one(index: Index) -> None:
    """An earlier inbox entry does not replace a later one, in whatever order they arrive."""
    index.update(GROUP, 5, InboxState.IN, 10)
    index.deliver(GROUP, 20)
    index.update(GROUP, 4, InboxState.OUT, 10)
    index.update(GROUP, 5, InboxState.OUT, 10)
    assert index.active() == [ScoredMember(20, GROUP)]
    index.update(GROUP, 6, InboxState.IN, 10)
    assert index.active() == [ScoredMember(20, GROUP)]


def test_large_chat_has_its_own_set_and_keeps_its_order(index: Index) -> None:
    """A large chat is in a set of its own, and its messages do not move it in the inbox."""
    index.update(GROUP, 1, InboxState.IN, 10)
    index.update(GROUP, 2, InboxState.LARGE, 10)
    assert index.deliver(GROUP, 20) == 0
    assert (index.active(), index.large(), index.rows()) == ([ScoredMember(10, GROUP)], [GROUP], [GROUP])
    index.update(GROUP, 3, InboxState.OUT, 20)
    assert (index.active(), index.large(), index.rows()) == ([], [], [GROUP])


def large_index(index: Index, count: int) -> list[str]:
    """Place large chats, and return them."""
    chats = [f"g-{number}" for number in range(count)]
    for chat in chats:
        index.update(chat, 1, InboxState.LARGE, 10)
    return chats


def test_few_of_many_large_chats(store: Store, inboxes: Inboxes, index: Index) -> None:
    """A connection is attached to at most as many large chats as it asks for."""
    chats = large_index(index, 5)
    few = store.run(inboxes.large("ann", 2))

    assert len(set(few) & set(chats)) == len(few) == 2


def test_checks_in_rounds(index: Index) -> None:
    """A round of checks reaches each large chat once, the longest unchecked first, in batches."""
    chats = large_index(index, 5)
    first = index.unchecked(most=2)
    assert (len(first.digests), first.more) == (2, True)
    index.check(first.began, *(Checked(chat, ONE, 10) for chat in first.digests))
    second = index.unchecked(first.began, most=3)
    assert (sorted([*first.digests, *second.digests]), second.more) == (chats, False)
    index.check(second.began, *(Checked(chat, ONE, 10) for chat in second.digests))

    assert index.unchecked(first.began) == Unchecked(first.began, {}, more=False)
    later = index.unchecked(most=2)
    assert later.began > first.began
    assert (later.digests, later.more) == (dict.fromkeys(first.digests, ONE), True)


def test_rounds_do_not_overtake_each_other(index: Index) -> None:
    """A round does not count the checks of an earlier round, and a later one never undoes them."""
    chats = large_index(index, 2)
    early, late = index.unchecked(), index.unchecked()
    assert early.began < late.began
    index.check(early.began, *(Checked(chat, ONE, 10) for chat in chats))
    assert sorted(index.unchecked(late.began).digests) == chats
    index.check(late.began, *(Checked(chat, ONE, 10) for chat in chats))
    index.check(early.began, *(Checked(chat, ONE, 10) for chat in chats))
    assert not index.unchecked(late.began).digests


def test_a_round_from_the_future(index: Index) -> None:
    """A round whose start is in the future begins now."""
    large_index(index, 1)
    future = index.unchecked(2**53 - 1)

    assert future.digests
    assert future.began < 2**53 - 1


def test_a_large_chat_that_is_otherwise_has_moved(index: Index) -> None:
    """A check moves a chat, and its position by activity, only if it has changed since the last check."""
    (chat,) = large_index(index, 1)
    assert [index.check(0, Checked(chat, ONE, 20)), index.check(0, Checked(chat, ONE, 20))] == [1, 0]
    assert index.active() == [ScoredMember(20, chat)]
    version = index.moved().version  # type: ignore[union-attr]
    assert index.check(0, Checked(chat, TWO, 30)) == 1
    assert index.active() == [ScoredMember(30, chat)]
    assert index.rows(version) == [chat]
    assert index.check(0, Checked("g-another", ONE, 5), Checked(DIRECT, ONE, 5)) == 0


def test_chat_synced_at_its_version_is_not_moved_again(index: Index) -> None:
    """A first sync at the chat's version does not move the chat; a later one that differs does."""
    (chat,) = large_index(index, 1)
    version = index.moved().version  # type: ignore[union-attr]
    assert index.check(0, Checked(chat, ONE, 20, version)) == 0
    assert index.check(0, Checked(chat, ONE, 20, version)) == 0
    assert index.check(0, Checked(chat, TWO, 20, version)) == 1
    index.update(chat, 2, InboxState.LARGE, 20)
    assert index.check(0, Checked(chat, TWO, 20, version)) == 1


def test_large_chats_of_an_earlier_server(index: Index, raw: RawClient) -> None:
    """A set of large chats from an earlier version is read, and converted."""
    chats = large_index(index, 3)
    raw.delete(keys.large("ann"))
    raw.sadd(keys.large("ann"), *chats)
    assert sorted(index.large()) == chats
    read = index.unchecked(most=2)
    assert (len(read.digests), read.more) == (2, True)
    index.check(read.began, *(Checked(chat, ONE, 10) for chat in read.digests))

    assert sorted(raw.zrange(keys.large("ann"), 0, -1)) == [chat.encode() for chat in chats]
    index.update(chats[0], 2, InboxState.OUT, 20)
    assert sorted(index.large()) == chats[1:]


def test_deleted_user_gets_no_delivery_and_the_sender_learns_it(store: Store, index: Index) -> None:
    """A delivery to a deleted user does nothing, and its result says so."""
    store.run(Accounts().create(Account(handle="ann")))
    assert index.update(GROUP, 1, InboxState.IN, 10)
    store.run(Accounts().delete("ann"))
    assert not index.update(GROUP, 2, InboxState.LARGE, 10)
    assert (index.deliver(GROUP, 20), index.large()) == (0, [])


def test_several_users_of_a_partition(store: Store, index: Index) -> None:
    """One call delivers to users of one partition, each by their own index."""
    handles = ["ann", *(f"user{i}" for i in range(3000))]
    same = [name for name in handles if partitions.user_partition(name) == partitions.user_partition("ann")][
        :4
    ]
    assert len(same) == 4
    for handle in same[1:]:
        index.update(GROUP, 1, InboxState.IN, 1, handle)
    assert index.deliver(GROUP, 10, *same) == 3


def test_pages_by_activity(index: Index) -> None:
    """Pages continue after the previous one, also among chats of the same time."""
    times = {f"ann:u{i}": 100 + i // 5 for i in range(23)}
    for chat, moment in times.items():
        index.deliver(chat, moment)
    found: list[ScoredMember] = []
    while page := index.active(found[-1] if found else None, limit=3):
        found += page
    assert found == sorted((ScoredMember(moment, chat) for chat, moment in times.items()), reverse=True)
    assert {mark.score for mark in index.active(since=102)} == {103, 104}


def test_versions_rise_although_the_clock_falls(raw: RawClient, index: Index) -> None:
    """A version is the time, and above the last one even when the store's clock falls back."""
    before = int(time.time() * 1_000_000)
    index.deliver(DIRECT, 10)
    first = index.moved().version  # type: ignore[union-attr]
    assert before - 1_000_000 < first < before + 60_000_000
    raw.hset(keys.inbox_entries("ann"), "version", str(2**52))
    index.deliver("ann:cid", 10)
    index.deliver("ann:dan", 10)
    assert [row.version for row in index.moved(first).rows] == [2**52 + 1, 2**52 + 2]  # type: ignore[union-attr]


def test_token_is_valid_up_to_the_version_its_lineage_received(index: Index) -> None:
    """A token is valid if its lineage received its version or a later one, and nothing was lost since."""
    assert index.moved(0, "0" * 16) is None
    assert not index.register("a" * 16, 5)
    index.deliver(DIRECT, 10)
    version = index.moved().version  # type: ignore[union-attr]
    assert not index.register("a" * 16, version + 1)
    assert index.register("a" * 16, version)
    assert index.moved(version, "a" * 16) is not None
    assert index.moved(version - 1, "a" * 16) is not None
    assert index.moved(version + 1, "a" * 16) is None
    assert index.moved(version, "b" * 16) is None


def test_lineage_with_the_oldest_version_is_evicted(index: Index) -> None:
    """Of too many lineages, the one that received the oldest version is evicted."""
    index.deliver(DIRECT, 10)
    version = index.moved().version  # type: ignore[union-attr]
    for number in range(MAX_LINEAGES):
        assert index.register(f"{number:016x}", version - number)
    assert index.register("f" * 16, version)
    known = [index.moved(0, f"{number:016x}") is not None for number in range(MAX_LINEAGES)]
    assert known == [True] * (MAX_LINEAGES - 1) + [False]
    assert index.moved(version, "f" * 16) is not None


@pytest.mark.parametrize("lineage", ["0" * 16, "f" * 16])
def test_a_new_lineage_stays(index: Index, lineage: str) -> None:
    """A new lineage evicts another one, though both received the same version."""
    index.deliver(DIRECT, 10)
    version = index.moved().version  # type: ignore[union-attr]
    for number in range(MAX_LINEAGES):
        assert index.register(f"1{number:015x}", version)
    assert index.register(lineage, version - 1)
    assert index.moved(version - 1, lineage) is not None
    known = [index.moved(version, f"1{number:015x}") is not None for number in range(MAX_LINEAGES)]
    assert known.count(False) == 1


def test_forgotten_index_leaves_no_keys(store: Store, inboxes: Inboxes, index: Index, raw: RawClient) -> None:
    """A forgotten index leaves no keys."""
    index.deliver(DIRECT, 10)
    index.update(GROUP, 1, InboxState.LARGE, 10)
    index.register("a" * 16, 1)
    assert store.run(inboxes.chats_of("ann")) == [DIRECT, GROUP]
    store.run(inboxes.forget("ann"))
    assert not list(raw.scan_iter(match="*:ann"))
