"""Recipients of signals, which are never stored, and blocks that hide users, on every engine."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.store import keys
from chalicelib.store.inbox.read_state import ACCEPTED, PINNED
from chalicelib.store.realtime.connection_results import ShownPresence, WatchedPresence
from chalicelib.store.realtime.recipients import KEPT_SECONDS, EphemeralRecipients, Recipients
from chalicelib.store.redis.client import Store
from chalicelib.store.social.blocks import Blocks
from tests.store.account_records import write_account, write_tombstone
from tests.store.chat_records import GROUP, Held, write_group, write_reader
from tests.store.connected_users import People
from tests.store.log_records import RawClient

USERS = [f"user{number}" for number in range(20)]


@pytest.fixture
def people(store: Store, raw: RawClient) -> People:
    """Twenty users in many partitions, each with a connection."""
    people = People(store, raw)
    for user in USERS:
        people.come(f"of-{user}", user)
    return people


def reached(
    store: Store, handles: list[str], size: int = 0, limit: int = 0, *, accepts: bool = False
) -> Recipients:
    """Return the recipients of a signal of ann's."""
    return store.run(EphemeralRecipients.of("ann", handles, size, limit, accepts=accepts))


def of(found: Recipients) -> list[str]:
    """Return the users of the found connections."""
    return sorted(recipient.connection.removeprefix("of-") for recipient in found.connections)


def test_every_connected_user_is_reached(store: Store, people: People) -> None:
    """Connected users of every partition are reached; users elsewhere, or not connected, are not."""
    assert of(reached(store, [*USERS, "nobody"])) == sorted(USERS)
    assert of(reached(store, USERS[:3])) == USERS[:3]


def test_blocking_and_deleted_users_are_not_reached(store: Store, raw: RawClient, people: People) -> None:
    """A user who blocks the sender, or is deleted, is not reached; others of the same partitions are."""
    raw.zadd(keys.blocked("user3"), {"ann": 1})
    raw.zadd(keys.blocked("user4"), {"bob": 1})
    write_tombstone(raw, "user5")

    assert of(reached(store, USERS)) == sorted(set(USERS) - {"user3", "user5"})


def test_a_signal_takes_from_what_may_go_to_each(store: Store, people: People) -> None:
    """A recipient whose limit is used up is left out, with a wait; others are reached."""
    for _ in range(3):
        assert of(reached(store, ["user1"], 300, 1000)) == ["user1"]

    found = reached(store, ["user1", "user2"], 300, 1000)
    assert of(found) == ["user2"]
    assert 0 < found.wait <= 60_000_000
    assert of(reached(store, ["user1"])) == ["user1"]


def test_signal_to_an_offline_user_leaves_no_trace(store: Store, raw: RawClient) -> None:
    """A signal to an offline user is stored nowhere."""
    assert reached(store, ["bob"], 300, 1000) == Recipients([], 0)
    assert not raw.exists(keys.signals("bob", "ann"))


@pytest.mark.parametrize("limit", [0, 1000])
def test_acceptance_by_a_signal_lasts_a_day(store: Store, raw: RawClient, people: People, limit: int) -> None:
    """An acceptance lasts a day, whether or not bytes are limited; other signals are no acceptance."""
    reached(store, ["user1"])
    reached(store, ["user1"], 10, limit)
    assert not store.run(EphemeralRecipients.accepts("ann", "user1"))
    reached(store, ["user1"], 10, limit, accepts=True)

    assert store.run(EphemeralRecipients.accepts("ann", "user1"))
    assert not store.run(EphemeralRecipients.accepts("user1", "ann"))
    life: Any = raw.ttl(keys.signals("user1", "ann"))
    assert KEPT_SECONDS - 60 < life <= KEPT_SECONDS


def test_a_signal_that_accepts_no_calls_does_not_prolong_what_was_accepted(
    store: Store, raw: RawClient, people: People
) -> None:
    """A signal that accepts no calls still counts towards the byte limit, and takes nothing back."""
    reached(store, ["user1"], 300, 1000, accepts=True)
    raw.expire(keys.signals("user1", "ann"), 100)
    for _ in range(2):
        assert of(reached(store, ["user1"], 300, 1000)) == ["user1"]

    assert of(reached(store, ["user1"], 300, 1000)) == []
    assert store.run(EphemeralRecipients.accepts("ann", "user1"))
    life: Any = raw.ttl(keys.signals("user1", "ann"))
    assert 0 < life <= 100


def test_accepting_members_have_the_flag(store: Store, raw: RawClient) -> None:
    """Accepting members have the flag, in a direct chat and in a group; a large chat is not read."""
    for chat in ("ann:bob", GROUP):
        write_reader(raw, "ann", chat, Held(1, 1, 0, 7, ACCEPTED | PINNED))
        write_reader(raw, "bob", chat, Held(1, 1, 0, 7, PINNED))
        assert store.run(EphemeralRecipients.accepted(chat)) == ["ann"]
    write_group(raw, {"ann": 0, "bob": 0}, large=1)
    assert store.run(EphemeralRecipients.accepted(GROUP)) == []
    assert store.run(EphemeralRecipients.accepted("cid:dan")) == []


def test_follow_is_read_from_the_followers_list(store: Store, raw: RawClient) -> None:
    """A follow is read from the follower's own list."""
    raw.zadd(keys.following("ann"), {"bob": 1})

    assert store.run(EphemeralRecipients.follows("ann", "bob"))
    assert not store.run(EphemeralRecipients.follows("bob", "ann"))


def test_blocks_are_found_in_both_directions(store: Store, raw: RawClient) -> None:
    """Users who block a user, and users whom they block, are found in many partitions."""
    for user in ("user3", "user7"):
        raw.zadd(keys.blocked(user), {"ann": 1})
        raw.zadd(keys.blocked("ann"), {user: 1})

    assert sorted(store.run(Blocks.blocking(USERS, "ann"))) == ["user3", "user7"]
    assert sorted(store.run(Blocks.all_of("ann"))) == ["user3", "user7"]


def test_how_a_user_is_shown_to_one_watcher(store: Store, raw: RawClient, people: People) -> None:
    """A user is shown with one watcher's connections alone; an unknown user is shown to nobody."""
    write_account(raw, "user1")
    for connection, watcher in (("a1", "ann"), ("a2", "ann"), ("b1", "bob")):
        store.run(people.connections.watch("user1", connection, watcher, protobuf=False))

    found = store.run(people.connections.watching("user1", "ann"))
    assert found is not None
    assert (found.shown.online, sorted(one.connection for one in found.recipients)) == (True, ["a1", "a2"])
    raw.zadd(keys.blocked("user1"), {"cid": 1})
    assert store.run(people.connections.watching("user1", "cid")) == WatchedPresence(
        ShownPresence(False, 0), []
    )
    assert store.run(people.connections.watching("nobody", "ann")) is None
