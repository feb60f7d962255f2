"""Pending work, on every kind of store."""

from __future__ import annotations

import pytest

from chalicelib.store import keys, partitions
from chalicelib.store.redis.client import Store
from chalicelib.store.work.pending import PendingItem, PendingWork
from tests.store.log_records import RawClient

ITEM = "index:ann"
KEY = keys.pending("ann")


@pytest.fixture
def pending(store: Store) -> PendingWork:
    """The pending work under test."""
    return PendingWork()


def test_pending_item_has_a_version(store: Store, pending: PendingWork, raw: RawClient) -> None:
    """A pending item has a version; any other item has none."""
    raw.hset(KEY, ITEM, "1760000000000000")

    assert store.run(pending.version("ann", ITEM)) == 1_760_000_000_000_000
    assert store.run(pending.version("ann", "posts:ann")) is None


def test_finished_work_is_cleared_once(store: Store, pending: PendingWork, raw: RawClient) -> None:
    """Finished work is cleared; clearing it again is no failure."""
    raw.hset(KEY, ITEM, "1760000000000000")

    assert store.run(pending.clear("ann", ITEM, 1_760_000_000_000_000))
    assert store.run(pending.version("ann", ITEM)) is None
    assert store.run(pending.clear("ann", ITEM, 1_760_000_000_000_000))


@pytest.mark.parametrize("again", [1_760_000_000_000_001, 1_759_999_999_999_999])
def test_work_recorded_meanwhile_stays_pending(
    store: Store, pending: PendingWork, raw: RawClient, again: int
) -> None:
    """Work that is recorded again while it runs stays pending, whatever the store's clock did."""
    raw.hset(KEY, ITEM, str(again))

    assert not store.run(pending.clear("ann", ITEM, 1_760_000_000_000_000))
    assert store.run(pending.version("ann", ITEM)) == again


def test_other_items_stay(store: Store, pending: PendingWork, raw: RawClient) -> None:
    """Clearing one item leaves the others."""
    raw.hset(KEY, mapping={ITEM: "1", "delete:ann": "1"})

    store.run(pending.clear("ann", ITEM, 1))
    assert store.run(pending.all()) == [PendingItem("delete:ann", 1)]


def test_all_partitions_are_searched_for_pending_work(
    store: Store, pending: PendingWork, raw: RawClient
) -> None:
    """Pending work is found in all 256 partitions."""
    handles = [f"user{number}" for number in range(2000)]
    one_each = {partitions.user_partition(handle): handle for handle in handles}
    assert len(one_each) == partitions.PARTITIONS
    for partition, handle in one_each.items():
        raw.hset(keys.pending(partition), f"posts:{handle}", "7")

    assert sorted(store.run(pending.all())) == sorted(
        PendingItem(f"posts:{handle}", 7) for handle in one_each.values()
    )
