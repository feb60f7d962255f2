"""Failed logins, on every kind of store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.store import keys
from chalicelib.store.accounts.login_attempts import (
    ADDRESS_FAILURES,
    PAIR_FAILURES,
    REMEMBERED,
    WINDOW_SECONDS,
    LoginAttempt,
    LoginAttempts,
)
from chalicelib.store.redis.client import Store, connect
from tests.servers.engines import Engine
from tests.store.account_records import clock
from tests.store.log_records import RawClient, settings_for

HERE, THERE = "192.0.2.7", "198.51.100.9"
WINDOW = WINDOW_SECONDS * 1_000_000
SECOND = 1_000_000


@pytest.fixture
def attempts(store: Store) -> LoginAttempts:
    """The attempts under test."""
    return LoginAttempts()


SUBSCRIBER = "2001:db8:1:200::/56"


def begin(store: Store, attempts: LoginAttempts, name: str, address: str) -> LoginAttempt:
    """Count an attempt, as a login does; an attempt that has to wait is not counted."""
    attempt = store.run(attempts.begin(name, address))
    if attempt.wait:
        store.run(attempts.take_back(attempt))
    return attempt


def fail(
    store: Store, attempts: LoginAttempts, times: int, name: str = "ann", address: str = HERE
) -> list[float]:
    """Fail to log in `times` times; return the wait before each."""
    return [begin(store, attempts, name, address).wait for _ in range(times)]


def write_failures(raw: RawClient, key: str, *ages: int) -> None:
    """Write failures of so many µs ago."""
    now = clock(raw)
    raw.zadd(key, {f"old{place}": now - age for place, age in enumerate(ages)})


def test_10_failures_of_a_name_from_an_address(store: Store, attempts: LoginAttempts) -> None:
    """Ten failures for one name from one address refuse logins for a quarter of an hour."""
    assert fail(store, attempts, PAIR_FAILURES) == [0] * PAIR_FAILURES

    (wait,) = fail(store, attempts, 1)
    assert WINDOW_SECONDS - 60 < wait <= WINDOW_SECONDS


def test_nobody_locks_out_another(store: Store, attempts: LoginAttempts) -> None:
    """Any number of failures from elsewhere delay no login from this address; they are counted."""
    for number in range(200):
        fail(store, attempts, 1, address=f"203.0.113.{number}")

    attempt = begin(store, attempts, "ann", HERE)
    assert attempt.wait == 0
    assert attempt.failures == 200


def test_50_failures_from_an_address(store: Store, attempts: LoginAttempts) -> None:
    """Fifty failures from an address, for any names, refuse it; another address is not affected."""
    for number in range(ADDRESS_FAILURES):
        assert begin(store, attempts, f"user{number}", HERE).wait == 0

    assert begin(store, attempts, "ann", HERE).wait > 0
    assert begin(store, attempts, "ann", THERE).wait == 0


def test_addresses_of_one_site_are_one(store: Store, attempts: LoginAttempts) -> None:
    """All addresses of one IPv6 network share the attempts of one address."""
    waits = [begin(store, attempts, "ann", f"2001:db8:1:2::{number:x}").wait for number in range(1, 13)]

    assert [wait > 0 for wait in waits] == [False] * PAIR_FAILURES + [True] * 2


def test_networks_of_one_subscriber_have_twice_the_tries_of_one(
    store: Store, attempts: LoginAttempts
) -> None:
    """A subscriber with a /56 of IPv6, 256 networks, has at most twice the attempts of one network."""
    waits = [begin(store, attempts, "ann", f"2001:db8:1:2{number:02x}::1").wait for number in range(25)]
    others = [
        begin(store, attempts, f"user{number}", f"2001:db8:1:3{number:02x}::1").wait for number in range(120)
    ]

    assert [wait > 0 for wait in waits] == [False] * 2 * PAIR_FAILURES + [True] * 5
    assert [wait > 0 for wait in others] == [False] * 2 * ADDRESS_FAILURES + [True] * 20
    assert begin(store, attempts, "ann", "2001:db8:1:400::1").wait == 0


def test_success_takes_back_what_a_subscriber_failed(
    store: Store, attempts: LoginAttempts, raw: RawClient
) -> None:
    """A successful login over IPv6 removes the caller's failures from both of their networks."""
    address = "2001:db8:1:2ff::1"
    fail(store, attempts, 3, address=address)
    store.run(attempts.succeed(begin(store, attempts, "ann", address)))

    assert raw.exists(keys.login_attempts("ann", SUBSCRIBER)) == 0
    assert raw.zcard(keys.address_attempts(SUBSCRIBER)) == raw.zcard(keys.login_attempts("ann", "")) == 3


def test_doubt_counts_the_failures_of_an_address(store: Store, attempts: LoginAttempts) -> None:
    """An address that has failed for any name is in doubt; another address is not."""
    assert [begin(store, attempts, name, HERE).doubt for name in ("ann", "bob", "ann")] == [0, 1, 2]
    assert begin(store, attempts, "ann", THERE).doubt == 0


def test_name_under_attack_parts_tries_from_one_address(
    store: Store, attempts: LoginAttempts, raw: RawClient
) -> None:
    """Each failure of a name elsewhere delays its next attempt from here, up to two seconds."""
    write_failures(raw, keys.login_attempts("ann", ""), *range(SECOND, SECOND + PAIR_FAILURES + 6))
    assert begin(store, attempts, "ann", HERE).wait == 0
    assert begin(store, attempts, "ann", HERE).wait <= 0.8

    write_failures(raw, keys.login_attempts("ann", ""), *range(SECOND, SECOND + 500))
    assert 0 < begin(store, attempts, "ann", HERE).wait <= 2
    write_failures(raw, keys.login_attempts("bob", ""), *range(SECOND, SECOND + 500))
    write_failures(raw, keys.login_attempts("bob", HERE), 2 * SECOND)
    assert begin(store, attempts, "bob", HERE).wait == 0


def test_a_refused_attempt_is_not_counted(store: Store, attempts: LoginAttempts, raw: RawClient) -> None:
    """An attempt during a wait does not lengthen the wait, and uses up no attempt."""
    fail(store, attempts, PAIR_FAILURES + 20)

    assert raw.zcard(keys.login_attempts("ann", HERE)) == PAIR_FAILURES
    assert raw.zcard(keys.address_attempts(HERE)) == PAIR_FAILURES
    assert raw.zcard(keys.login_attempts("ann", "")) == PAIR_FAILURES


def test_failed_logins_count_for_fifteen_minutes(
    store: Store, attempts: LoginAttempts, raw: RawClient
) -> None:
    """A failed login counts for 15 minutes; the wait ends when the one too many expires."""
    key = keys.login_attempts("ann", HERE)
    old, young = WINDOW + SECOND, SECOND
    write_failures(raw, key, old, old, old, *[young] * (PAIR_FAILURES - 1))

    assert begin(store, attempts, "ann", HERE).wait == 0
    assert WINDOW_SECONDS - 62 < begin(store, attempts, "ann", HERE).wait <= WINDOW_SECONDS
    assert raw.zcard(key) == PAIR_FAILURES


def test_a_clock_that_fell_back(store: Store, attempts: LoginAttempts, raw: RawClient) -> None:
    """Failures with a time ahead of the store's clock do not count: nobody waits for them."""
    write_failures(raw, keys.login_attempts("ann", HERE), *[-WINDOW] * PAIR_FAILURES)

    assert fail(store, attempts, PAIR_FAILURES) == [0] * PAIR_FAILURES
    assert fail(store, attempts, 1) > [0]


def test_the_wait_for_the_oldest(store: Store, attempts: LoginAttempts, raw: RawClient) -> None:
    """With the oldest failure a minute from being forgotten, the wait is a minute; with too many, longer."""
    key = keys.login_attempts("ann", HERE)
    write_failures(raw, key, WINDOW - 60 * SECOND, *[SECOND] * (PAIR_FAILURES - 1))
    assert 50 < begin(store, attempts, "ann", HERE).wait <= 60

    write_failures(
        raw, key, WINDOW - 60 * SECOND, *[WINDOW - 90 * SECOND] * 3, *[SECOND] * (PAIR_FAILURES - 1)
    )
    assert 80 < begin(store, attempts, "ann", HERE).wait <= 90


def test_a_wait_is_never_nothing(store: Store, attempts: LoginAttempts, raw: RawClient) -> None:
    """A refused caller gets a wait above zero, also at the last moment."""
    key = keys.login_attempts("ann", HERE)
    for age in range(WINDOW - 20_000, WINDOW, 500):
        raw.delete(key)
        write_failures(raw, key, *[age] * PAIR_FAILURES)
        before: Any = raw.zcard(key)
        attempt = begin(store, attempts, "ann", HERE)
        assert before == PAIR_FAILURES
        assert (attempt.wait > 0) == (raw.zscore(key, attempt.id) is None)


def test_a_success_is_no_failure(store: Store, attempts: LoginAttempts, raw: RawClient) -> None:
    """A successful login forgives the caller's failures from the address; other users' failures stay."""
    fail(store, attempts, 5)
    fail(store, attempts, 3, address=THERE)
    attempt = begin(store, attempts, "ann", HERE)
    store.run(attempts.succeed(attempt))

    assert raw.exists(keys.login_attempts("ann", HERE)) == 0
    assert raw.zcard(keys.login_attempts("ann", THERE)) == 3
    assert raw.zcard(keys.login_attempts("ann", "")) == 8
    assert raw.zcard(keys.address_attempts(HERE)) == 5
    raw.delete(keys.login_attempts("ann", ""))
    assert fail(store, attempts, PAIR_FAILURES) == [0] * PAIR_FAILURES


def test_success_as_oneself_does_not_help(store: Store, attempts: LoginAttempts) -> None:
    """A login to one's own account resets no failure for another account."""
    for _ in range(PAIR_FAILURES):
        assert fail(store, attempts, 1) == [0]
        store.run(attempts.succeed(begin(store, attempts, "mallory", HERE)))

    assert fail(store, attempts, 1)[0] > 0


def test_what_is_remembered(store: Store, attempts: LoginAttempts, raw: RawClient) -> None:
    """The last thousand failures of a name under attack are kept; all of them expire."""
    write_failures(raw, keys.login_attempts("ann", ""), *range(1, 2 * REMEMBERED))
    begin(store, attempts, "ann", HERE)

    assert raw.zcard(keys.login_attempts("ann", "")) == REMEMBERED
    for key in (
        keys.login_attempts("ann", ""),
        keys.login_attempts("ann", HERE),
        keys.address_attempts(HERE),
    ):
        life: Any = raw.ttl(key)
        assert 0 < life <= WINDOW_SECONDS


def test_many_at_once_are_all_counted(valkey: Engine) -> None:
    """At most ten of 200 concurrent attempts may verify the password."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    store, attempts = connect(settings_for(valkey)), LoginAttempts()
    with ThreadPoolExecutor(50) as pool:
        begun = list(pool.map(lambda _: begin(store, attempts, "ann", HERE), range(200)))

    assert sum(attempt.wait == 0 for attempt in begun) <= PAIR_FAILURES
    assert begin(store, attempts, "bob", THERE).wait == 0


@pytest.mark.parametrize("name", ["", "ann:192.0.2.7", ":", "\u00e5" * 64, "a b\n", "{u000}"])
def test_failed_login_counts_for_any_name(store: Store, attempts: LoginAttempts, name: str) -> None:
    """A failed login counts whatever name it gives."""
    assert fail(store, attempts, PAIR_FAILURES, name) == [0] * PAIR_FAILURES
    assert fail(store, attempts, 1, name)[0] > 0
