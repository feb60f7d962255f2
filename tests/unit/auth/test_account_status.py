"""The cache of account statuses."""

from __future__ import annotations

import pytest

from chalicelib.services.auth import account_status
from chalicelib.services.auth.account_status import KEPT_SECONDS, AccountStatusCache
from chalicelib.store.accounts.accounts import Accounts, AccountStatus
from chalicelib.store.redis.client import Store
from tests.clock import Clock
from tests.unit.nodes import CannedNode

NONE, ACTIVE, DELETED = [0, 0], [1, 0], [2, 0]


@pytest.fixture
def clock() -> Clock:
    """The clock by which answers expire."""
    return Clock()


def remembering(clock: Clock, *replies: list[int]) -> tuple[AccountStatusCache, CannedNode]:
    """Return account statuses on a store with these replies."""
    node = CannedNode(*replies)
    store = Store(node)
    return AccountStatusCache(store, Accounts(), clock), node


@pytest.mark.parametrize("reply", [NONE, ACTIVE])
def test_an_answer_holds_for_a_second(clock: Clock, reply: list[int]) -> None:
    """A name is asked for once a second, and its new status is seen by then."""
    asked, node = remembering(clock, reply, ACTIVE)

    assert [asked.of("ann") for _ in range(3)] == [AccountStatus(reply[0])] * 3
    clock.now += KEPT_SECONDS - 0.01
    assert asked.known("ann") is AccountStatus(reply[0])
    assert len(node.round_trips) == 1

    clock.now += 0.02
    assert asked.known("ann") is None
    assert asked.of("ann") is AccountStatus.ACTIVE
    assert len(node.round_trips) == 2


def test_deleted_is_for_ever(clock: Clock) -> None:
    """A deleted account stays deleted, and is not asked for again."""
    asked, node = remembering(clock, DELETED)
    asked.of("ann")
    clock.now += 1e9

    assert asked.of("ann") is AccountStatus.DELETED
    assert len(node.round_trips) == 1


@pytest.mark.parametrize("name", ["Ann", "\u00e5sa", "a b", "-a", "", "a" * 33, "a\n"])
def test_a_name_that_no_account_can_have(clock: Clock, name: str) -> None:
    """An invalid handle has no account, and the store is not asked."""
    asked, node = remembering(clock)

    assert asked.of(name) is AccountStatus.NONE
    assert node.round_trips == []


def test_names_are_apart(clock: Clock) -> None:
    """The status of one name does not affect another's."""
    asked, _ = remembering(clock, ACTIVE, NONE)

    assert (asked.of("ann"), asked.of("bob")) == (AccountStatus.ACTIVE, AccountStatus.NONE)
    assert asked.known("cid") is None


def test_what_is_remembered_is_bounded(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cache has a maximum number of names, and no wrong status."""
    monkeypatch.setattr(account_status, "KEPT_NAMES", 3)
    asked, _ = remembering(clock, *[ACTIVE] * 10, NONE)

    assert [asked.of(f"user{number}") for number in range(10)] == [AccountStatus.ACTIVE] * 10
    assert sum(asked.known(f"user{number}") is not None for number in range(10)) <= 3
    assert asked.of("ann") is AccountStatus.NONE


def test_an_answer_read_with_others_is_remembered(clock: Clock) -> None:
    """The query can share a round trip with others; its answer counts as any other."""
    node = CannedNode(ACTIVE)
    store = Store(node)
    asked = AccountStatusCache(store, Accounts(), clock)
    store.run_all([asked.query("ann")])

    assert asked.of("ann") is AccountStatus.ACTIVE
    assert len(node.round_trips) == 1
