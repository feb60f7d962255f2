"""The limits of addresses, and the arithmetic of every limit, on the store's own Lua."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.store import keys
from chalicelib.store.accounts.rate_limits import Rate, RateLimits, site_of
from chalicelib.store.redis.client import Store, connect
from chalicelib.store.redis.scripts import Script
from tests.servers.engines import Engine
from tests.store.log_records import RawClient, settings_for

MINUTE = 60_000_000
ADDRESS = "192.0.2.7"
HUGE = 9_999_999


def take(store: Store, limit: int, address: str = ADDRESS, kind: str = "auth") -> Rate:
    """Take one request from an address's limit."""
    return store.run(RateLimits.take(address, kind, limit))


# --- arithmetic ---------------------------------------------------------------------------------------------

STEPS = """
local reply, state, now = {}, false, 1760000000000000
for i = 2, #ARGV do
  now = now + tonumber(ARGV[i])
  local limit = tonumber(ARGV[1])
  local passes, unused, left = pass(limit, state, now, 1)
  if passes then state = string.format('%.0f', unused) end
  reply[#reply + 1] = {passes and 1 or 0, left, unused - now, passes and 0 or wait(limit, unused, now, 1)}
end
return reply
"""
COSTS = """
local reply, limit, now, state = {}, tonumber(ARGV[1]), 1760000000000000, false
local taking = ARGV[2] == 'take' and take or pass
for i = 3, #ARGV do
  local cost = tonumber(ARGV[i])
  local passes, unused, left = taking(limit, state, now, cost)
  if passes then state = string.format('%.0f', unused) end
  reply[#reply + 1] = {passes and 1 or 0, left, unused - now, passes and 0 or wait(limit, unused, now, cost)}
end
return reply
"""


class Limiter:
    """Runs the scripts' own arithmetic at times that a test makes up."""

    def __init__(self, engine: Engine) -> None:
        self._run = engine.nodes[0].register_script("\n" + Script("parts/gcra").source + STEPS)
        self._run_costs = engine.nodes[0].register_script("\n" + Script("parts/gcra").source + COSTS)

    def at(self, limit: int, pauses: list[int]) -> list[tuple[bool, int, int, int]]:
        """Ask after each pause; return each answer: passed, left, busy, wait."""
        replies: Any = self._run([], [limit, *pauses])
        return [(bool(passed), left, busy, wait) for passed, left, busy, wait in replies]

    def costing(self, limit: int, costs: list[int], taking: str = "pass") -> list[tuple[bool, int, int, int]]:
        """Ask at one time for requests of some costs; return the answers, as `at` does."""
        replies: Any = self._run_costs([], [limit, taking, *costs])
        return [(bool(passed), left, busy, wait) for passed, left, busy, wait in replies]


@pytest.fixture(scope="module")
def limiter(valkey: Engine) -> Limiter:
    """The arithmetic, on a running store."""
    valkey.resume()
    valkey.start()
    return Limiter(valkey)


LIMITS = st.one_of(st.integers(1, 20), st.sampled_from([60, 120, 600, 1200, 2400, 7001, HUGE, 2 * HUGE]))
PAUSES = st.lists(
    st.one_of(st.just(0), st.integers(0, 10), st.integers(0, MINUTE // 100), st.integers(0, 3 * MINUTE)),
    min_size=1,
    max_size=60,
)
PLENTY = settings(max_examples=200)


@PLENTY
@given(limit=LIMITS, pauses=PAUSES)
def test_a_bucket_that_fills_up(limiter: Limiter, limit: int, pauses: list[int]) -> None:
    """A limit is a bucket of time, full at first; each request takes its part, and a pause gives it back."""
    each = -(-MINUTE // limit)
    full = level = each * limit
    for pause, (passed, left, busy, wait) in zip(pauses, limiter.at(limit, pauses), strict=True):
        level = min(full, level + pause)
        assert passed == (level >= each)
        if passed:
            level -= each
        assert (left, busy) == (level // each, full - level)
        assert wait == (0 if passed else each - level)


@PLENTY
@given(limit=st.integers(1, 12), pauses=PAUSES)
def test_never_more_than_the_limit_and_what_the_time_gives_back(
    limiter: Limiter, limit: int, pauses: list[int]
) -> None:
    """In any span of time at most the burst and the refill of that span pass."""
    now, passed = 0, []
    for pause, (passes, *_) in zip(pauses, limiter.at(limit, pauses), strict=True):
        now += pause
        passed += [now] * passes
    for first, start in enumerate(passed):
        for last in range(first, len(passed)):
            assert last - first + 1 <= limit + (passed[last] - start) * limit / MINUTE


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 11, 13, 600, 7001])
def test_all_at_once(limiter: Limiter, limit: int) -> None:
    """So many requests as the limit says pass in one microsecond, counted down to 0, and not one more."""
    *replies, last = limiter.at(limit, [0] * (limit + 1))

    assert [left for _, left, _, _ in replies] == list(range(limit - 1, -1, -1))
    assert all(passed for passed, *_ in replies)
    assert last[0] is False


@pytest.mark.parametrize("limit", [1, 7, 600])
def test_a_clock_that_falls_back(limiter: Limiter, limit: int) -> None:
    """A clock that falls back delays nobody by as long as it fell."""
    *_, refused, after = limiter.at(limit, [*[0] * limit, 0, -60 * MINUTE])

    assert (refused[0], after[0], after[1]) == (False, True, limit - 1)


@pytest.mark.parametrize("limit", [1, 7, 20, 600, HUGE])
def test_the_wait_is_exact(limiter: Limiter, limit: int) -> None:
    """A request passes after the wait of its refusal, and not a microsecond earlier."""
    burst = [0] * min(limit, 2000) if limit != HUGE else [0]
    wait = limiter.at(limit, [*burst, 0])[-1][3]
    if limit == HUGE:
        assert wait == 0
        return

    assert limiter.at(limit, [*burst, 0, wait])[-1][0] is True
    assert limiter.at(limit, [*burst, 0, wait - 1])[-1][0] is False


@PLENTY
@given(limit=LIMITS, costs=st.lists(st.integers(1, 3000), min_size=1, max_size=30))
def test_a_request_takes_as_many_parts_as_it_costs(limiter: Limiter, limit: int, costs: list[int]) -> None:
    """A request passes if its cost is left; one that costs more than the limit needs all of it."""
    left = limit
    for cost, (passed, still, _, wait) in zip(costs, limiter.costing(limit, costs), strict=True):
        wanted = min(cost, limit)
        assert passed == (wanted <= left)
        left -= wanted * passed
        assert still == (left if passed else 0)
        assert wait == (0 if passed else (wanted - left) * -(-MINUTE // limit))


@PLENTY
@given(limit=LIMITS, costs=st.lists(st.integers(1, 3000), min_size=1, max_size=30))
def test_what_was_done_is_taken_whatever_is_left(limiter: Limiter, limit: int, costs: list[int]) -> None:
    """The cost of completed work is always taken; later requests wait for it, at most two minutes."""
    each, used = -(-MINUTE // limit), 0
    for cost, (passed, left, busy, _) in zip(costs, limiter.costing(limit, costs, "take"), strict=True):
        used = min(used + each * min(cost, limit), 2 * MINUTE)
        assert (passed, busy) == (True, used)
        assert left == max(0, (each * limit - used) // each)


# --- users --------------------------------------------------------------------------------------------------

SESSIONS = [bytes([number]) * 32 for number in range(3)]


def of_user(store: Store, session: bytes, limit: int, cost: int = 1, *, done: bool = False) -> Rate:
    """Take one request from the limits of ann and of one session."""
    return store.run(RateLimits.of_user("ann", session, "write", limit, cost, done=done))


def test_a_user_has_twice_the_limit_of_a_session(store: Store) -> None:
    """Requests of one session count for the user, and no third session has any left."""
    passed = [sum(not of_user(store, session, 5).wait for _ in range(7)) for session in SESSIONS]

    assert passed == [5, 5, 0]


def test_a_refused_cost_takes_nothing(store: Store) -> None:
    """A request beyond the limit is refused whole, with its wait; a cheaper one passes after it."""
    assert of_user(store, SESSIONS[0], 10, 8).left == 2
    refused = of_user(store, SESSIONS[0], 10, 3)

    assert 0 < refused.wait <= MINUTE // 10
    assert not of_user(store, SESSIONS[0], 10, 2).wait


def test_cost_beyond_the_limit_delays_the_next_requests(store: Store) -> None:
    """A request that cost more than the limit had left keeps the session's next requests waiting."""
    assert not of_user(store, SESSIONS[0], 10, 9).wait
    assert not of_user(store, SESSIONS[0], 10, 9, done=True).wait

    assert MINUTE * 8 // 10 < of_user(store, SESSIONS[0], 10).wait <= MINUTE * 9 // 10


def test_no_limit_takes_nothing(store: Store, raw: RawClient) -> None:
    """A class without a limit keeps no state."""
    assert of_user(store, SESSIONS[0], 0, 1000) == Rate(0, 0, 0)
    assert not raw.exists(keys.user_limits("ann"))


# --- addresses ----------------------------------------------------------------------------------------------


def test_burst_uses_the_whole_limit_then_waits(store: Store) -> None:
    """An address can use its whole limit at once; the next call is refused with the time to wait."""
    assert [take(store, 3).left for _ in range(3)] == [2, 1, 0]

    refused = take(store, 3)
    assert (refused.limit, refused.left) == (3, 0)
    assert 0 < refused.wait <= MINUTE / 3
    assert 2 / 3 * MINUTE < refused.busy <= MINUTE


def test_a_refused_request_costs_nothing(store: Store, raw: RawClient) -> None:
    """A refused request does not lengthen the wait."""
    take(store, 1)
    before = raw.get(keys.address_limit("auth", ADDRESS))

    assert all(take(store, 1).wait for _ in range(5))
    assert raw.get(keys.address_limit("auth", ADDRESS)) == before


@pytest.mark.parametrize(
    ("busy", "left"), [(MINUTE, None), (MINUTE - 100_000, None), (MINUTE // 2, 1), (-5, 3)]
)
def test_used_limit_refills_with_time(store: Store, raw: RawClient, busy: int, left: int | None) -> None:
    """The used part of a limit refills with time; an old state counts as none."""
    state = clock(raw) + busy
    raw.set(keys.address_limit("auth", ADDRESS), str(state))

    rate = take(store, 4)

    assert (rate.wait == 0, rate.left) == (left is not None, left or 0)


def clock(raw: RawClient) -> int:
    """Return the store's own time, µs since 1970."""
    seconds, micros = next(iter_times(raw))
    return int(seconds) * 1_000_000 + int(micros)


def iter_times(raw: RawClient) -> Any:
    """Yield the time of each server."""
    times: Any = raw.time()
    return iter(times.values() if isinstance(times, dict) else [times])


def test_limits_are_apart(store: Store) -> None:
    """Each address and each class of routes has a limit of its own."""
    take(store, 1)

    assert take(store, 1).wait
    assert not take(store, 1, "192.0.2.8").wait
    assert not take(store, 1, kind="search").wait


def test_largest_limit_is_counted_exactly(store: Store, raw: RawClient) -> None:
    """The largest possible limit is counted like any other, and its state stays a whole number."""
    assert [take(store, HUGE).wait for _ in range(20)] == [0] * 20
    state: Any = raw.get(keys.address_limit("auth", ADDRESS))
    assert state.isdigit()


def test_a_state_goes_by_itself(store: Store, raw: RawClient) -> None:
    """The state of an address expires after two minutes."""
    take(store, 1)
    left: Any = raw.ttl(keys.address_limit("auth", ADDRESS))

    assert 0 < left <= 120


def test_many_at_once(valkey: Engine) -> None:
    """At most the limit of 200 requests by 20 concurrent threads passes."""
    valkey.resume()
    valkey.start()
    valkey.flush()
    store = connect(settings_for(valkey))
    with ThreadPoolExecutor(20) as pool:
        rates = list(pool.map(lambda _: take(store, 1), range(200)))

    assert sum(not rate.wait for rate in rates) == 1


@pytest.mark.parametrize(
    ("address", "site"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
        ("2001:DB8:1:2::", "2001:db8:1:2::"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("::1", "::"),
        ("fe80::1%eth0", "fe80::"),
        ("", "unknown"),
        ("192.0.2.7, 10.0.0.1", "unknown"),
        ("192.0.2.7:443", "unknown"),
        ("999.1.1.1", "unknown"),
        ("x" * 5000, "unknown"),
    ],
)
def test_what_an_address_is_limited_by(address: str, site: str) -> None:
    """An IPv4 address counts as itself, an IPv6 address as its /64 network; all other texts count as one."""
    assert site_of(address) == site


def test_networks_of_one_subscriber_have_twice_the_limit_of_one(store: Store) -> None:
    """Each of the 256 networks of a /56 has the limit of an address; all of them share twice the limit."""
    passed = [take(store, 5, f"2001:db8:1:2{number:02x}::1").wait == 0 for number in range(12)]

    assert passed == [True] * 10 + [False] * 2
    assert take(store, 5, "2001:db8:1:3::1").wait == 0
