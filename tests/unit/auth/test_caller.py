"""Callers are authenticated before they learn or change anything."""

from __future__ import annotations

import functools
from typing import Any

import pytest
import redis

from chalicelib.errors import HistoryChanged, NotAuthenticated, StoreUnavailable, TooManyRequests
from chalicelib.services.auth.caller import Caller, check_rate, rate_headers
from chalicelib.store.accounts.rate_limits import Rate, RateLimits
from chalicelib.store.accounts.sessions import Credential, Details, Sessions
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from tests.unit.nodes import CannedNode

ACCEPTED, REFUSED, OVER = [1, 9, 6_000_000, 0], [0, 0, 0, 0], [2, 0, 60_000_000, 5_000_001]
DIGEST = b"d" * 32
READING: Query[Any] = Query("GET", ("{c000}:secret",))


def calling(*replies: Any) -> tuple[Caller, CannedNode]:
    """Return a caller by token, and a store with these replies."""
    node = CannedNode(*replies)
    store = Store(node)
    shown = Credential("ann", DIGEST)
    authentication = functools.partial(Sessions().authenticate, shown, "read", 10, Details())
    charging = functools.partial(RateLimits.of_user, "ann", DIGEST, "read", 10, done=True)
    return Caller(store, "ann", "0123456789abcdef", authentication, charging), node


def test_valid_caller_is_authenticated_once() -> None:
    """A valid caller is authenticated once, and gets the rest of the rate limit."""
    caller, node = calling(ACCEPTED)
    before = caller.authenticated
    for _ in range(2):
        caller.authenticate()

    assert (before, caller.authenticated) == (False, True)
    assert caller.rate == Rate(10, 9, 6_000_000)
    assert len(node.round_trips) == 1


@pytest.mark.parametrize("how", ["authenticate", "read"])
def test_refused_caller_stays_unauthenticated(how: str) -> None:
    """A refused caller is asked to log in, stays unauthenticated, and is refused again the next time."""
    caller, _ = calling(*[REFUSED, b"secret"] * 2) if how == "read" else calling(REFUSED, REFUSED)
    for _ in range(2):
        with pytest.raises(NotAuthenticated) as raised:
            caller.read(READING) if how == "read" else caller.authenticate()
        assert 'error="invalid_token"' in raised.value.headers["WWW-Authenticate"]
        assert not caller.authenticated


def test_read_authenticates_in_the_same_round_trip() -> None:
    """The first read authenticates the caller in its round trip; later reads do not."""
    caller, node = calling(ACCEPTED, b"one", b"two")

    assert caller.read(READING) == b"one"
    assert caller.read(READING) == b"two"
    assert [len(commands) for commands in node.round_trips] == [2, 1]


def test_several_reads_take_one_round_trip() -> None:
    """Several reads take one round trip and return in order, each decoded by its own reader."""
    caller, node = calling(ACCEPTED, b"1", b"22", b"3", b"4")
    length = READING.map(len)

    assert caller.read_all(READING, length) == [b"1", 2]
    assert caller.read_all(READING, READING) == [b"3", b"4"]
    assert [len(commands) for commands in node.round_trips] == [3, 2]


def failing(_: Any) -> Any:
    """Make an error of a reply."""
    raise HistoryChanged("secret")


@pytest.mark.parametrize(("reply", "refusal"), [(REFUSED, NotAuthenticated), (OVER, TooManyRequests)])
def test_reply_of_a_refused_read_is_dropped(reply: list[int], refusal: type[Exception]) -> None:
    """A refused caller learns neither the reply of a read nor its error."""
    seen: list[Any] = []
    for read in (failing, seen.append):
        caller, _ = calling(reply, b"secret")
        with pytest.raises(refusal) as raised:
            caller.read(READING.map(read))
        assert "secret" not in str(raised.value)
    assert seen == []


def test_valid_caller_gets_errors_of_the_read() -> None:
    """An authenticated caller gets the errors of the reads."""
    caller, _ = calling(ACCEPTED, b"secret")

    with pytest.raises(HistoryChanged):
        caller.read(READING.map(failing))
    assert caller.authenticated


def test_caller_over_the_limit_learns_wait_and_limit() -> None:
    """The error for a caller over the limit has the wait, in whole seconds, and the limit."""
    caller, _ = calling(OVER)

    with pytest.raises(TooManyRequests) as raised:
        caller.authenticate()

    headers = {
        "Retry-After": "6",
        "RateLimit-Limit": "10",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": "60",
    }
    assert raised.value.headers == headers


def test_a_store_that_is_gone_lets_nobody_in() -> None:
    """Without a store nobody is authenticated, and every call is refused."""
    caller, _ = calling(redis.ConnectionError("gone"))

    with pytest.raises(StoreUnavailable):
        caller.authenticate()
    assert not caller.authenticated


def test_a_name_that_is_trusted() -> None:
    """A trusted caller costs no round trip."""
    node = CannedNode(b"one", b"two", b"three")
    caller = Caller(Store(node), "ann")
    caller.authenticate()
    assert node.round_trips == []

    assert caller.authenticated
    assert caller.read(READING) == b"one"
    assert caller.read_all(READING, READING) == [b"two", b"three"]
    assert caller.rate is None


def test_what_a_call_costs_is_taken_with_the_judging() -> None:
    """A call that counts as several requests is still authenticated in one round trip."""
    caller, node = calling(ACCEPTED)
    caller.authenticate(cost=7)

    assert [len(commands) for commands in node.round_trips] == [1]
    assert node.round_trips[0][0][-2:] == (7, "ann")


def test_what_a_call_turned_out_to_cost_is_charged_later() -> None:
    """A cost taken later has its own round trip and refuses nothing; the caller gets the rest."""
    caller, node = calling(ACCEPTED, [1, 0, 90_000_000, 0])
    caller.authenticate()
    caller.charge(0)
    caller.charge(30)

    assert caller.rate == Rate(10, 0, 90_000_000)
    assert [len(commands) for commands in node.round_trips] == [1, 1]
    assert node.round_trips[1][0][-5:] == ("read", DIGEST[:8], 10, 30, 1)


def test_a_trusted_name_is_charged_nothing() -> None:
    """Without limits nothing is taken."""
    node = CannedNode()
    Caller(Store(node), "ann").charge(5)

    assert node.round_trips == []


def test_rate_headers_count_whole_seconds() -> None:
    """Times are whole seconds, and rounded up."""
    assert rate_headers(Rate(20, 3, 1)) == {
        "RateLimit-Limit": "20",
        "RateLimit-Remaining": "3",
        "RateLimit-Reset": "1",
    }
    check_rate(Rate(20, 0, 60_000_000))
