"""Batches about users: a cluster takes a script call a partition, a single server one call for all."""

from __future__ import annotations

import functools
from typing import Any

import pytest

from chalicelib.store import keys, partitions
from chalicelib.store.accounts.user_cards import UserCards
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.realtime.recipients import EphemeralRecipients
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.nodes import ClusterNodes
from chalicelib.store.redis.query import UserBatch
from chalicelib.store.social.blocks import Blocks
from chalicelib.store.social.posts import Posts
from chalicelib.store.social.timelines import Timelines
from tests.servers.engines import Engine
from tests.store.account_records import write_account
from tests.store.log_records import RawClient, settings_for

USERS = [f"user{number}" for number in range(300)]
PARTITIONS = len({partitions.user_partition(handle) for handle in USERS})
BATCHES: dict[str, UserBatch[Any]] = {
    "deliver": Inboxes().deliver("g-one", 1, USERS),
    "recipients": UserConnections(60).recipients(USERS),
    "ephemeral": EphemeralRecipients.of("ann", USERS, 10, 100),
    "blockers": Blocks.blocking(USERS, "ann"),
    "cards": UserCards().of(USERS),
    "posts": Posts().newest(USERS, None, 1),
    "timelines": Timelines().put(USERS, "ann", [7]),
}
BY_BATCH = pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES.keys())


@BY_BATCH
def test_single_server_takes_one_call_for_all_partitions(batch: UserBatch[Any]) -> None:
    """All users are in one call, or a cluster would have a call for each of their partitions."""
    assert len(batch.grouped(partitions.all_together).parts) == 1
    assert len(batch.grouped(partitions.by_partition).parts) == PARTITIONS > 150


@BY_BATCH
def test_every_store_runs_a_batch_about_many_users(store: Store, batch: UserBatch[Any]) -> None:
    """A single server and a cluster run it, and its deferred form has the same result."""
    result = store.run(batch)
    assert store.run(batch.deferred())() == result


def test_results_are_the_same_on_every_store(store: Store, raw: RawClient) -> None:
    """The result has every user once, whatever groups the store makes."""
    for handle in USERS[::50]:
        write_account(raw, handle)
        raw.zadd(keys.blocked(handle), {"ann": 1})

    assert store.run(UserCards().of(USERS)).keys() == set(USERS[::50])
    assert sorted(store.run(Blocks.blocking([*USERS, *USERS], "ann"))) == sorted(USERS[::50])
    assert store.run(Posts().newest(USERS, None, 1)) == {handle: [] for handle in USERS}
    assert store.run(UserCards().of([])) == {}


@pytest.mark.parametrize("engine", ["cluster"], indirect=True)
def test_cluster_behind_one_address_is_asked_by_partition(
    engine: Engine, raw: RawClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that refuses keys of several slots is asked by partition from then on, and logs it once."""
    write_account(raw, "user7")
    store = Store(ClusterNodes(settings_for(engine)), grouping=partitions.all_together)

    for _ in range(2):
        assert store.run(UserCards().of(USERS)).keys() == {"user7"}
    assert [one.msg["event"] for one in caplog.records if isinstance(one.msg, dict)] == ["store_has_slots"]


def test_groups_have_at_most_2000_keys() -> None:
    """A group is as large as KEYS_AT_ONCE allows, for both kinds of stores."""
    many = [f"user{number}" for number in range(1001)]
    assert [len(group) for group in partitions.all_together(many, 5)] == [400, 400, 201]
    grouped = functools.partial(partitions.by_partition, each=partitions.KEYS_AT_ONCE)
    assert sorted(one for group in grouped(many) for one in group) == sorted(many)
    assert {len(group) for group in grouped(many)} == {1}
