"""Accounts, on every kind of store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.store import keys
from chalicelib.store.accounts.accounts import Account, Accounts, AccountStatus, UserRelation
from chalicelib.store.redis.client import Store, connect
from tests.servers.engines import Engine
from tests.store.account_records import HELD, clock, fields_of, write_account, write_session, write_tombstone
from tests.store.log_records import RawClient, settings_for

pytestmark = pytest.mark.cluster_smoke

ANN = Account(
    handle="ann",
    name="Ann \u00c5",
    bio="two\nlines",
    avatar="pic-1",
    email="ann@example.org",
    password=HELD,
    reset=True,
    identity=bytes(range(224, 256)),
    source="https://old.example/users/7",
)
DIGEST = bytes(range(32))


@pytest.fixture
def accounts(store: Store) -> Accounts:
    """The accounts under test."""
    return Accounts()


def pending_items(raw: RawClient, handle: str) -> dict[str, bytes]:
    """Return the pending work of a user's partition."""
    return fields_of(raw, keys.pending(handle))


def found(store: Store, accounts: Accounts, handle: str) -> Account:
    """Return an account that must be there."""
    account = store.run(accounts.find(handle))
    assert account is not None
    return account


def fields(account: Account, *left_out: str) -> dict[str, Any]:
    """Return an account's fields without some."""
    names = account.__struct_fields__
    return {name: getattr(account, name) for name in names if name not in left_out}


# --- create_account -----------------------------------------------------------------------------------------


def test_new_account_keeps_its_fields_and_awaits_indexing(
    store: Store, accounts: Accounts, raw: RawClient
) -> None:
    """A new account keeps all its fields, has the store's time, and awaits indexing for the search."""
    before = clock(raw)
    assert store.run(accounts.create(ANN))

    account = found(store, accounts, "ann")
    assert fields(account, "made") == fields(ANN, "made")
    assert before <= account.made <= clock(raw)
    assert pending_items(raw, "ann") == {"index:ann": str(account.made).encode()}


def test_absent_account_fields_are_not_stored(store: Store, accounts: Accounts, raw: RawClient) -> None:
    """Fields that an account does not have are not stored."""
    assert store.run(accounts.create(Account(handle="ann")))

    assert fields_of(raw, keys.user("ann")).keys() == {"made"}
    assert fields(found(store, accounts, "ann"), "made") == fields(Account(handle="ann"), "made")


@pytest.mark.parametrize("write", [write_account, write_tombstone])
def test_a_handle_is_taken_once(store: Store, accounts: Accounts, raw: RawClient, write: Any) -> None:
    """A handle that an account has, or had, is not given again; nothing is changed or recorded as pending."""
    write(raw, "ann")
    before = fields_of(raw, keys.user("ann"))

    assert not store.run(accounts.create(ANN))
    assert fields_of(raw, keys.user("ann")) == before
    assert pending_items(raw, "ann") == {}


def test_200_create_one_handle(valkey: Engine) -> None:
    """Of 200 threads that make one handle at once, one succeeds, and its fields are its own alone."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    store, accounts = connect(settings_for(valkey)), Accounts()
    wanted = [Account(handle="ann", name=f"n{i}", password=f"p{i}") for i in range(200)]
    with ThreadPoolExecutor(200) as pool:
        made = list(pool.map(lambda account: store.run(accounts.create(account)), wanted))

    (winner,) = (account for account, one in zip(wanted, made, strict=True) if one)
    assert fields(found(store, accounts, "ann"), "made") == fields(winner, "made")


# --- update_account -----------------------------------------------------------------------------------------


def test_update_sets_and_clears_only_the_named_fields(
    store: Store, accounts: Accounts, raw: RawClient
) -> None:
    """An update sets some fields, clears others, keeps the rest, and returns the values from before."""
    store.run(accounts.create(ANN))
    before = found(store, accounts, "ann")

    changes = {"name": "Anna", "bio": None, "avatar": "", "reset": False, "email": None}
    assert store.run(accounts.update("ann", changes)) == before

    after = found(store, accounts, "ann")
    assert (after.name, after.bio, after.avatar, after.reset, after.email) == ("Anna", "", None, False, None)
    same = ("made", "password", "identity", "source")
    assert [getattr(after, name) for name in same] == [getattr(before, name) for name in same]


@pytest.mark.parametrize(
    ("changes", "is_owed"),
    [
        ({"name": "Anna"}, True),
        ({"name": None}, True),
        ({"email": "a@example.org"}, True),
        ({"bio": "x", "avatar": "y"}, False),
        ({}, False),
    ],
)
def test_what_an_update_owes(
    store: Store, accounts: Accounts, raw: RawClient, changes: dict[str, Any], is_owed: bool
) -> None:
    """A change of a search field records an index update as pending; any other change does not."""
    write_account(raw, "ann")
    before = clock(raw)

    assert store.run(accounts.update("ann", changes)) is not None

    since = pending_items(raw, "ann").get("index:ann")
    assert (since is not None) == is_owed
    assert since is None or before <= int(since) <= clock(raw)


@pytest.mark.parametrize("write", [write_tombstone, None])
def test_update_of_a_missing_account_changes_nothing(
    store: Store, accounts: Accounts, raw: RawClient, write: Any
) -> None:
    """An update of a missing or deleted account makes no account and records no work."""
    if write:
        write(raw, "ann")
    before = fields_of(raw, keys.user("ann"))

    assert store.run(accounts.update("ann", {"name": "Anna", "bio": None})) is None
    assert fields_of(raw, keys.user("ann")) == before
    assert pending_items(raw, "ann") == {}


@pytest.mark.parametrize("name", ["made", "handle", "deleted"])
def test_what_no_update_changes(store: Store, accounts: Accounts, raw: RawClient, name: str) -> None:
    """An update can't change an account's creation time, handle or deletion."""
    write_account(raw, "ann")
    before = fields_of(raw, keys.user("ann"))

    store.run(accounts.update("ann", {name: None}))
    store.run(accounts.update("ann", {name: "x"}))

    assert fields_of(raw, keys.user("ann")) == before


# --- lose_email ---------------------------------------------------------------------------------------------


def test_email_is_cleared_only_if_unchanged(store: Store, accounts: Accounts, raw: RawClient) -> None:
    """An email is cleared only if it is still the expected one."""
    write_account(raw, "ann", email="new@example.org")

    store.run(accounts.clear_email("ann", "old@example.org"))
    assert found(store, accounts, "ann").email == "new@example.org"
    store.run(accounts.clear_email("ann", "new@example.org"))
    assert found(store, accounts, "ann").email is None
    store.run(accounts.clear_email("nobody", "new@example.org"))
    assert store.run(accounts.find("nobody")) is None


# --- set_password -------------------------------------------------------------------------------------------


def test_new_password_ends_every_session_but_one(store: Store, accounts: Accounts, raw: RawClient) -> None:
    """A new password replaces the old one, and ends every session but the one to keep."""
    write_account(raw, "ann", reset=1)
    now = clock(raw)
    for digest in (DIGEST, b"a" * 32, b"b" * 32):
        write_session(raw, "ann", digest, now, now, now + 10**9)

    assert store.run(accounts.set_password("ann", HELD, "$new", keep=DIGEST))

    account = found(store, accounts, "ann")
    assert (account.password, account.reset) == ("$new", False)
    assert list(raw.hkeys(keys.sessions("ann"))) == [DIGEST]


def test_set_password_ends_all_sessions(store: Store, accounts: Accounts, raw: RawClient) -> None:
    """Without one to keep no session stays."""
    write_account(raw, "ann")
    now = clock(raw)
    write_session(raw, "ann", DIGEST, now, now, now + 10**9)

    assert store.run(accounts.set_password("ann", HELD, "$new"))
    assert raw.exists(keys.sessions("ann")) == 0


def test_set_a_password_that_was_changed(store: Store, accounts: Accounts, raw: RawClient) -> None:
    """Of two concurrent password changes the second is refused and ends no session."""
    write_account(raw, "ann", reset=1)
    now = clock(raw)
    write_session(raw, "ann", DIGEST, now, now, now + 10**9)

    assert not store.run(accounts.set_password("ann", "$other", "$new"))
    assert not store.run(accounts.set_password("nobody", "", "$new"))
    assert found(store, accounts, "ann").password == HELD
    assert found(store, accounts, "ann").reset
    assert raw.hlen(keys.sessions("ann")) == 1
    assert store.run(accounts.find("nobody")) is None


# --- delete_account, forget ---------------------------------------------------------------------------------


def test_deleted_account_has_no_password_and_no_sessions(
    store: Store, accounts: Accounts, raw: RawClient
) -> None:
    """A deletion removes the password and the sessions at once, and records the rest as pending."""
    store.run(accounts.create(ANN))
    gone = [
        getattr(keys, n)("ann")
        for n in ("sessions", "user_limits", "posts", "timeline", "blocked", "unfollowed")
    ]
    for key in gone:
        raw.set(key, "x")

    assert store.run(accounts.delete("ann"))

    account = found(store, accounts, "ann")
    assert (account.deleted, account.password, account.email) == (True, None, ANN.email)
    assert [raw.exists(key) for key in gone] == [0] * len(gone)
    assert pending_items(raw, "ann").keys() == {"index:ann", "delete:ann"}


def test_repeated_deletion_changes_nothing(store: Store, accounts: Accounts, raw: RawClient) -> None:
    """A repeated deletion records no more work; a missing account can't be deleted."""
    write_account(raw, "ann")
    store.run(accounts.delete("ann"))
    before, deleted = pending_items(raw, "ann"), fields_of(raw, keys.user("ann"))

    assert store.run(accounts.delete("ann"))
    assert not store.run(accounts.delete("nobody"))
    assert (pending_items(raw, "ann"), fields_of(raw, keys.user("ann"))) == (before, deleted)
    assert raw.exists(keys.user("nobody")) == 0


def test_delete_on_a_full_store(store: Store, engine: Engine, accounts: Accounts, raw: RawClient) -> None:
    """An account can be read, given another password and deleted on a store without memory."""
    write_account(raw, "ann")
    for node in engine.nodes:
        node.config_set("maxmemory", 1)
    try:
        assert found(store, accounts, "ann").password == HELD
        assert store.run(accounts.set_password("ann", HELD, "$new"))
        assert store.run(accounts.delete("ann"))
        store.run(accounts.forget("ann"))
    finally:
        for node in engine.nodes:
            node.config_set("maxmemory", 0)


def test_tombstone_keeps_times_and_nothing_else(store: Store, accounts: Accounts, raw: RawClient) -> None:
    """The final tombstone has the times of creation and deletion, and no personal data."""
    store.run(accounts.create(ANN))
    raw.hset(keys.user("ann"), "since", "1")
    store.run(accounts.delete("ann"))
    store.run(accounts.forget("ann"))

    assert fields_of(raw, keys.user("ann")).keys() == {"made", "deleted"}
    assert not store.run(accounts.create(ANN))


# --- profile ------------------------------------------------------------------------------------------------


def test_relation_shows_account_status_and_block(accounts: Accounts, store: Store, raw: RawClient) -> None:
    """A relation has the account status of the other user, and whether they block."""
    write_account(raw, "ann")
    write_tombstone(raw, "bob")
    raw.zadd(keys.blocked("ann"), {"mallory": 1.0})

    def met(handle: str, other: str) -> UserRelation:
        return store.run(accounts.relation(handle, other))

    assert met("ann", "cid") == UserRelation(AccountStatus.ACTIVE, blocks=False)
    assert met("ann", "mallory") == UserRelation(AccountStatus.ACTIVE, blocks=True)
    assert met("ann", "") == UserRelation(AccountStatus.ACTIVE, blocks=False)
    assert met("bob", "cid") == UserRelation(AccountStatus.DELETED, blocks=False)
    assert met("nobody", "cid") == UserRelation(AccountStatus.NONE, blocks=False)


def test_profile_joins_account_and_counts(accounts: Accounts, store: Store, raw: RawClient) -> None:
    """A profile joins the account and its counts; a deleted account has no profile."""
    store.run(accounts.create(ANN))
    raw.zadd(keys.followers("ann"), {"a": 1, "b": 2, "c": 3})
    raw.zadd(keys.following("ann"), {"a": 1, "b": 2})
    raw.zadd(keys.posts("ann"), {"p": 1})
    write_tombstone(raw, "bob")

    profile = store.run(accounts.profile("ann"))
    assert profile is not None
    assert (profile.account, profile[1:]) == (store.run(accounts.find("ann")), (3, 2, 1))
    assert store.run(accounts.profile("bob")) is None
    assert store.run(accounts.profile("nobody")) is None


def test_tombstone_reads_as_a_deleted_account(store: Store, accounts: Accounts, raw: RawClient) -> None:
    """A tombstone reads as a deleted account; an unknown handle as None."""
    write_tombstone(raw, "bob")

    assert found(store, accounts, "bob").deleted
    assert store.run(accounts.find("nobody")) is None


def test_an_account_shows_nothing_in_a_log() -> None:
    """The text of an account has its handle, and no email and no hash."""
    assert repr(ANN) == "Account('ann')"
