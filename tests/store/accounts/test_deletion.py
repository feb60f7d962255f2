"""The deletion of an account, on every kind of store, with crashes between any two steps."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import pytest

from chalicelib.errors import NotAuthenticated
from chalicelib.schemas.users import ProfileChanges
from chalicelib.services.accounts.deletion import INLINE_CHATS, INLINE_EDGES
from chalicelib.services.auth.oidc import IDENTITY
from chalicelib.services.values.emails import EMAIL
from chalicelib.store import keys
from chalicelib.store.accounts.accounts import Account
from chalicelib.store.accounts.sessions import Details
from chalicelib.store.inbox.entries import InboxEntry, InboxState
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.redis.client import Store
from tests.store.account_services import EVERYBODY, Crash, CrashingStore, Village, expire, sweep
from tests.store.log_records import RawClient

ONE_ENGINE = pytest.mark.parametrize("engine", ["valkey"], indirect=True)
MAIL = "alice@example.org"
DIGEST = b"i" * 32
STEPS = 60
"""More queries than a deletion takes."""


@pytest.fixture
def village(store: Store) -> Village:
    """People on the store under test."""
    return Village(store)


def settle_everybody(village: Village) -> None:
    """Make alice, who has everything that a user can have, and others around her."""
    assert village.store.run(village.claims.claim(EMAIL, MAIL, "alice"))
    assert village.store.run(village.claims.claim(IDENTITY, DIGEST.hex(), "alice"))
    assert village.store.run(village.claims.settle(IDENTITY, DIGEST.hex(), "alice"))
    alice = Account(
        handle="alice", name="Alice Liddell", bio="down", email=MAIL, password="hash", identity=DIGEST
    )
    assert village.store.run(village.accounts.create(alice))
    village.work.try_now("index:alice")
    village.people.change("alice", ProfileChanges(avatar="pic"))
    for handle in EVERYBODY[1:]:
        village.settle(handle, "Alien")
    village.follow("alice", "bob", "carol")
    village.follow("bob", "alice")
    village.follow("dave", "alice", "bob")
    village.store.run(village.blocks.block("alice", "eve"))
    village.work.try_now("block:alice:eve")
    village.store.run(village.posts.add("alice", "a post"))
    village.work.try_now("posts:alice")
    village.store.run(village.timelines.put(["alice"], "bob", [1]))
    assert village.store.run(village.sessions.add("alice", "hash", b"d" * 32, Details("192.0.2.1", "agent")))


def check_gone(village: Village, raw: RawClient) -> None:
    """Check that only alice's handle is left of her, and that nothing else is missing."""
    assert village.edges() == {("dave", "bob")}
    assert village.store.run(village.claims.holder(EMAIL, MAIL)) is None
    assert village.store.run(village.claims.holder(IDENTITY, DIGEST.hex())) is None
    assert village.found("al", 1) == ["bob", "carol", "dave"]
    assert village.store.run(village.pending_work.all()) == []
    assert list(raw.scan_iter(match="*alice*")) == [keys.user("alice").encode()]
    left: Any = raw.hgetall(keys.user("alice"))
    assert left.keys() == {b"made", b"deleted"}
    assert village.store.run(village.accounts.find("alice")) == Account(
        handle="alice", made=int(left[b"made"]), deleted=True
    )


def test_all_goes_but_the_handle(village: Village, raw: RawClient) -> None:
    """A deleted user leaves no session, post, follow, search term, email or name; the handle stays taken."""
    settle_everybody(village)
    village.deletion.delete("alice")

    check_gone(village, raw)
    assert not village.store.run(village.accounts.create(Account(handle="alice")))
    village.people.change("bob", ProfileChanges(email=MAIL))
    assert village.people.me("bob").email == MAIL


def test_again_is_fine(village: Village, raw: RawClient) -> None:
    """A repeated deletion, or a repeated finish, changes nothing."""
    settle_everybody(village)
    village.deletion.delete("alice")
    village.deletion.delete("alice")
    village.erasure.erase("alice")

    check_gone(village, raw)


def test_finish_changes_nothing_of_an_active_account(village: Village) -> None:
    """Finishing a deletion does nothing to an account that is active or missing."""
    village.settle("alice", "Alice", MAIL)
    village.erasure.erase("alice")
    village.erasure.erase("nobody")

    assert village.people.me("alice").email == MAIL
    assert village.found("alice") == ["alice"]


@pytest.mark.long
@ONE_ENGINE
@pytest.mark.parametrize("done", [False, True])
def test_crash_at_any_step(village: Village, raw: RawClient, done: bool) -> None:
    """After a crash at any step and a sweep, a deletion is complete or never began."""
    outcomes = set()
    for step in range(STEPS):
        raw.flushall()
        settle_everybody(village)
        crashed = False
        try:
            Village(CrashingStore(village.store, step, done=done)).deletion.delete("alice")
        except Crash:
            crashed = True
        sweep(village.store)
        account = village.store.run(village.accounts.find("alice"))
        assert account is not None
        if account.deleted:
            check_gone(village, raw)
        else:
            assert (village.people.me("alice").email, len(village.edges())) == (MAIL, 5)
        outcomes.add((crashed, account.deleted))

    assert outcomes == {(True, False), (True, True), (False, True)}


@ONE_ENGINE
def test_crash_again_and_again(village: Village, raw: RawClient) -> None:
    """A deletion completes although the sweep itself crashes, one step later each time."""
    settle_everybody(village)
    village.store.run(village.accounts.delete("alice"))
    for step in range(STEPS):
        with contextlib.suppress(Crash):
            Village(CrashingStore(village.store, step)).erasure.erase("alice")
    sweep(village.store)

    check_gone(village, raw)


@ONE_ENGINE
def test_crash_between_a_change_and_a_deletion(village: Village, raw: RawClient) -> None:
    """A deletion removes all names and emails after a crash at any step of a profile change."""
    for step in range(STEPS):
        raw.flushall()
        settle_everybody(village)
        changes = ProfileChanges(name="Alison", email="alison@example.org")
        with contextlib.suppress(Crash):
            Village(CrashingStore(village.store, step)).people.change("alice", changes)
        village.deletion.delete("alice")
        expire(raw, "alison@example.org")
        sweep(village.store)
        check_gone(village, raw)
        assert village.store.run(village.claims.holder(EMAIL, "alison@example.org")) is None
        assert village.store.run(village.index.find("ali", None, 9)) == [
            ("alien", handle) for handle in EVERYBODY[1:]
        ]


def test_many_follows_go_soon(village: Village, raw: RawClient) -> None:
    """The queue ends the follows of a user with very many; the account is deleted at once."""
    settle_everybody(village)
    raw.zadd(keys.followers("alice"), {f"fan{number}": number for number in range(INLINE_EDGES)})
    village.deletion.delete("alice")
    account = village.store.run(village.accounts.find("alice"))
    assert account is not None
    assert account.deleted
    assert raw.llen(keys.jobs()) == 1
    assert raw.zcard(keys.followers("alice")) == INLINE_EDGES + 2
    village.work.run("delete:alice")
    raw.delete(keys.jobs())

    check_gone(village, raw)


def test_chats_are_left(village: Village, raw: RawClient) -> None:
    """A deleted user departs from all chats, one by one, and their index goes after that."""
    village.settle("alice")
    inboxes = Inboxes()
    places = {"g-one": InboxState.IN, "g-two": InboxState.LARGE, "g-three": InboxState.OUT}
    for chat, state in places.items():
        village.store.run_all([inboxes.update(chat, InboxEntry("alice", 1, state, 1))])
    village.store.run(inboxes.deliver("alice:bob", 2, ["alice"]))
    village.deletion.delete("alice")

    assert village.departed == [("alice", chat) for chat in (*places, "alice:bob")]
    assert list(raw.scan_iter(match="*alice*")) == [keys.user("alice").encode()]


def test_many_chats_are_left_soon(village: Village, raw: RawClient) -> None:
    """The queue removes a user from very many chats; the account is deleted at once."""
    village.settle("alice")
    for number in range(INLINE_CHATS + 1):
        village.store.run(Inboxes().update(f"g-{number}", InboxEntry("alice", 1, InboxState.IN, 1)))
    village.deletion.delete("alice")
    assert (village.departed, raw.llen(keys.jobs())) == ([], 1)
    village.work.run("delete:alice")

    assert len(village.departed) == INLINE_CHATS + 1
    assert not raw.exists(keys.inbox("alice"))


@ONE_ENGINE
def test_departures_that_end(village: Village, raw: RawClient) -> None:
    """A deletion that crashes, one step later each time, keeps the index until all chats are left."""
    village.settle("alice")
    for number in range(3):
        village.store.run(Inboxes().update(f"g-{number}", InboxEntry("alice", 1, InboxState.IN, 1)))
    gone: set[tuple[str, str]] = set()
    for step in range(STEPS):
        crashing = Village(CrashingStore(village.store, step))
        with contextlib.suppress(Crash):
            crashing.deletion.delete("alice")
        gone |= set(crashing.departed)
        assert raw.exists(keys.inbox("alice")) or len(gone) == 3

    assert list(raw.scan_iter(match="*alice*")) == [keys.user("alice").encode()]


@pytest.mark.parametrize("turn", range(5))
def test_follows_race_with_a_deletion(village: Village, raw: RawClient, turn: int) -> None:
    """Follows that race with a deletion leave no edge to or from the deleted user."""
    fans = [f"fan{number}" for number in range(8)]
    for handle in ("alice", *fans):
        village.settle(handle)
    start = threading.Barrier(len(fans) + 1)

    def follow(fan: str) -> None:
        start.wait()
        village.follow(fan, "alice")
        village.follow("alice", fan)

    def delete() -> None:
        start.wait()
        village.deletion.delete("alice")

    threads = [threading.Thread(target=follow, args=(fan,)) for fan in fans]
    threads.append(threading.Thread(target=delete))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sweep(village.store)

    assert list(raw.scan_iter(match="*:follow*")) == []
    for fan in fans:
        assert raw.zcard(keys.following(fan)) == raw.zcard(keys.followers(fan)) == 0


@ONE_ENGINE
def test_renames_race_with_a_deletion(village: Village, raw: RawClient) -> None:
    """Changes of name and email that race with a deletion leave no name or email behind."""
    for _ in range(10):
        raw.flushall()
        settle_everybody(village)
        start = threading.Barrier(2)

        def rename() -> None:
            start.wait()  # noqa: B023
            try:
                village.people.change("alice", ProfileChanges(name="Alison", email="alison@example.org"))
            except NotAuthenticated:
                return

        thread = threading.Thread(target=rename)
        thread.start()
        start.wait()
        village.deletion.delete("alice")
        thread.join()
        expire(raw, "alison@example.org")
        sweep(village.store)
        check_gone(village, raw)
        assert village.store.run(village.claims.holder(EMAIL, "alison@example.org")) is None
