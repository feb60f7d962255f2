"""Expired sessions are dropped by the sweep: their keys do not expire, so that a full store keeps them."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.store import keys
from chalicelib.store.accounts.accounts import Accounts
from chalicelib.store.accounts.sessions import Credential, Details, Sessions
from chalicelib.store.partitions import user_partition
from chalicelib.store.redis.client import Store
from tests.store.account_records import DAY, HELD, HOUR, clock, session, write_account, write_session
from tests.store.log_records import RawClient

MOST = 40
NO_EXPIRY = -1
OLD, NEW = b"o" * 32, b"n" * 32
HOME = Details("192.0.2.7", "curl/8")


@pytest.fixture
def sessions(store: Store) -> Sessions:
    """The sessions under test."""
    return Sessions()


@pytest.fixture
def brief(store: Store) -> Sessions:
    """Sessions that have expired by the next command."""
    return Sessions(idle=1)


def begin(store: Store, raw: RawClient, *begun: tuple[Sessions, str, bytes]) -> None:
    """Begin sessions of users, who have accounts then."""
    for sessions, handle, digest in begun:
        if not raw.exists(keys.user(handle)):
            write_account(raw, handle)
        assert store.run(sessions.add(handle, HELD, digest, HOME))


def sweep(store: Store, sessions: Sessions, most: int) -> int:
    """Drop expired sessions, as the sweep does; return their number."""
    return sum(store.run_all(map(sessions.drop_expired, store.run(sessions.expired(most)))))


def end_of(raw: RawClient, handle: str) -> Any:
    """Return the earliest end of a user's sessions, as the sweep knows it, or None."""
    return raw.zscore(keys.session_ends(handle), handle)


def test_expired_sessions_are_dropped(
    store: Store, brief: Sessions, sessions: Sessions, raw: RawClient
) -> None:
    """The sweep drops expired sessions, notes the next expiry, and forgets users without sessions."""
    begin(
        store, raw, (brief, "ann", OLD), (sessions, "ann", NEW), (brief, "bob", OLD), (sessions, "cid", NEW)
    )
    first = end_of(raw, "ann")

    # The login as ann has dropped the session that had expired by then.
    assert sweep(store, sessions, MOST) == 1
    assert session(raw, "ann", OLD) is None
    assert end_of(raw, "ann") == (session(raw, "ann", NEW) or (0, 0, 0))[2] > first
    assert raw.exists(keys.sessions("bob")) == 0
    assert end_of(raw, "bob") is None
    assert session(raw, "cid", NEW)
    assert sweep(store, sessions, MOST) == 0


def test_a_sweep_drops_the_sessions_of_a_limited_number_of_users(
    store: Store, brief: Sessions, raw: RawClient
) -> None:
    """A sweep ends expired sessions of a limited number of users of a partition, the oldest ones first."""
    users = [user for user in map(str, range(2000)) if user_partition(user) == "{u007}"][:3]
    begin(store, raw, *((brief, handle, OLD) for handle in users))

    assert sweep(store, brief, 2) == 2
    assert [end_of(raw, handle) is None for handle in users] == [True, True, False]
    assert [sweep(store, brief, 2), sweep(store, brief, 2)] == [1, 0]


def test_a_session_that_was_used_outlives_the_noted_end(
    store: Store, sessions: Sessions, raw: RawClient
) -> None:
    """A session that was extended after its end was noted stays, and its new end is noted."""
    begin(store, raw, (sessions, "ann", NEW))
    raw.zadd(keys.session_ends("ann"), {"ann": clock(raw) - 1})

    assert sweep(store, sessions, MOST) == 0
    assert end_of(raw, "ann") == (session(raw, "ann", NEW) or (0, 0, 0))[2]
    assert store.run(sessions.authenticate(Credential("ann", NEW), "read", 0, HOME))


@pytest.mark.parametrize("touch", ["use", "login"])
def test_the_expiry_that_earlier_versions_set_is_taken_back(
    store: Store, sessions: Sessions, raw: RawClient, touch: str
) -> None:
    """A key of an earlier version has no expiry after a login or an hourly note, and is swept then."""
    now = clock(raw)
    write_account(raw, "ann")
    write_session(raw, "ann", OLD, now - 40 * DAY, now - 31 * DAY, now - DAY)
    write_session(raw, "ann", NEW, now - DAY, now - HOUR, now + DAY)
    raw.expire(keys.sessions("ann"), 90 * 86_400)

    if touch == "login":
        assert store.run(sessions.add("ann", HELD, b"x" * 32, HOME))
    else:
        assert store.run(sessions.authenticate(Credential("ann", NEW), "read", 0, HOME))

    assert raw.ttl(keys.sessions("ann")) == NO_EXPIRY
    sweep(store, sessions, MOST)
    assert session(raw, "ann", OLD) is None
    assert session(raw, "ann", NEW)
    assert end_of(raw, "ann") == min(device.expires for device in store.run(sessions.of("ann")))


def test_a_deleted_account_leaves_no_sessions_to_sweep(
    store: Store, sessions: Sessions, raw: RawClient
) -> None:
    """A deleted account has no sessions, and no noted end."""
    begin(store, raw, (sessions, "ann", NEW))
    assert store.run(Accounts().delete("ann"))

    assert raw.exists(keys.sessions("ann"), keys.session_ends("ann")) == 0


def test_a_note_without_sessions_is_taken_off(store: Store, sessions: Sessions, raw: RawClient) -> None:
    """The noted end of sessions that no longer exist is removed."""
    raw.zadd(keys.session_ends("ann"), {"ann": 1})

    assert sweep(store, sessions, MOST) == 0
    assert end_of(raw, "ann") is None
