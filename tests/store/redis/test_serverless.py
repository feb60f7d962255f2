"""The tests' stores refuse what ElastiCache Serverless refuses."""

from __future__ import annotations

import pytest
import redis

from chalicelib import services
from chalicelib.store import keys
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from tests.servers.serverless_limits import MAX_ARGUMENTS, MAX_KEY_BYTES, refusal_of
from tests.store.log_records import RawClient

KEY = keys.user("ann")
BESIDE_MEMBERS = 5
"""Arguments of the command that adds members: EVALSHA, the script, 1, the key, SADD."""


def adding(members: int) -> Query[int]:
    """Return the query that adds so many members to a set."""
    return Query("SADD", (KEY,), tuple(range(members)))


def test_a_longer_command_is_refused(store: Store, raw: RawClient) -> None:
    """A command of 3,999 arguments runs, and one with one more does not; others of its round trip do."""
    most = MAX_ARGUMENTS - BESIDE_MEMBERS
    assert store.run(adding(most)) == most
    for run in (store.run, lambda query: store.run_all([adding(7), query])):
        raw.delete(KEY)
        with pytest.raises(redis.ResponseError, match="4000 arguments"):
            run(adding(most + 1))
    assert raw.scard(KEY) == 7


@pytest.mark.usefixtures("app_on_engine")
def test_the_app_is_refused_a_longer_command() -> None:
    """The stores that the services connect to have the same limit."""
    with pytest.raises(redis.ResponseError, match="arguments"):
        services.current()._store.run(adding(MAX_ARGUMENTS))


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (("KEYS", "*"), "unknown command"),
        (("HGETALL", KEY), "unknown command"),
        (("EVALSHA", "0" * 40, 0), "without any input keys"),
        (("EVALSHA", "0" * 40, 1, "{u000}:" + "x" * MAX_KEY_BYTES), "longer than 4096 bytes"),
        (("EVAL", "-" * (4 * 1024 * 1024 + 1), 1, KEY), "longer than 4194304 bytes"),
    ],
)
def test_unsupported_commands_and_long_requests_are_refused(
    command: tuple[str | int, ...], reason: str
) -> None:
    """Commands that a serverless store lacks or Parley does not send, and long requests, are refused."""
    assert reason in str(refusal_of(command))
