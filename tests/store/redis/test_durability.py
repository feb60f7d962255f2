"""Whether a store keeps messages, on every kind of store and through a server's start."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from chalicelib.config import Secret
from chalicelib.store.redis.credentials import ACCESS_STRING
from chalicelib.store.redis.durability import Weakness, weaknesses
from tests.servers.commands import run
from tests.servers.engines import Engine
from tests.servers.gateway import running_gateway
from tests.servers.waiting import eventually
from tests.store.log_records import settings_for
from tests.store.store_users import WORD, user


@contextmanager
def configured(engine: Engine, **options: str) -> Iterator[None]:
    """Set other options on every server for a while."""
    before = [{name: node.config_get(name)[name] or "" for name in options} for node in engine.nodes]
    try:
        for node in engine.nodes:
            for name, value in options.items():
                node.config_set(name, value)
        yield
    finally:
        for node, values in zip(engine.nodes, before, strict=True):
            for name, value in values.items():
                node.config_set(name, value)


def may_ask(engine: Engine) -> bool:
    """Return whether the tests' store user may ask for the settings."""
    return "PARLEY_REDIS_USER" not in engine.env


def found(engine: Engine) -> list[Weakness]:
    """Return the weaknesses of a store."""
    return weaknesses(settings_for(engine))


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-random", "allkeys-lfu"])
def test_store_that_drops_any_key_loses_messages(engine: Engine, policy: str) -> None:
    """A policy that evicts any key is reported once, whichever servers have it, if the user may ask."""
    with configured(engine, **{"maxmemory-policy": policy, "appendonly": "yes"}):
        weakness = found(engine)

    assert [one.loses_messages for one in weakness] == [True] * may_ask(engine)
    assert all(policy in one.text for one in weakness)


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-ttl"])
def test_store_that_drops_what_expires_loses_no_message(engine: Engine, policy: str) -> None:
    """A policy that evicts keys with an expiry is reported, as one that loses no messages."""
    with configured(engine, **{"maxmemory-policy": policy, "appendonly": "yes"}):
        weakness = found(engine)

    assert [one.loses_messages for one in weakness] == [False] * may_ask(engine)
    assert all(policy in one.text for one in weakness)


def test_store_without_a_file_loses_messages(engine: Engine) -> None:
    """Without appendonly and without snapshots a stop loses everything."""
    with configured(engine, appendonly="no", save=""):
        weakness = found(engine)

    assert [one.loses_messages for one in weakness] == [True] * may_ask(engine)
    assert all("appendonly" in one.text for one in weakness)


@pytest.mark.parametrize("options", [{"appendonly": "yes"}, {"appendonly": "no", "save": "3600 1"}])
def test_store_that_keeps_what_it_is_given_has_no_weakness(engine: Engine, options: dict[str, str]) -> None:
    """A store with an append-only file or snapshots, and the default policy, has no weakness."""
    with configured(engine, **options):
        assert found(engine) == []


def test_store_that_may_not_be_asked_is_taken_to_be_well(valkey: Engine) -> None:
    """A user with the permissions of docs/redis.md gets no answer; with INFO it learns the policy."""
    with (
        configured(valkey, **{"maxmemory-policy": "allkeys-lru", "save": ""}),
        user(valkey, "few", ACCESS_STRING),
    ):
        settings = settings_for(valkey, redis_user="few", redis_password=Secret(WORD))
        assert weaknesses(settings) == []
        for node in valkey.nodes:
            node.execute_command("ACL SETUSER", "few", "+info")
        (weakness,) = weaknesses(settings)

    assert "allkeys-lru" in weakness.text


def test_store_that_is_gone_has_nothing_to_say(valkey: Engine) -> None:
    """A store that cannot be reached has no weakness and causes no wait or failure here."""
    assert weaknesses(settings_for(valkey, redis_url="redis://127.0.0.1:1")) == []


def test_server_says_at_its_start_that_the_store_loses_messages(valkey: Engine) -> None:
    """A start on such a store logs one line that names what to set, and serves."""
    with (
        configured(valkey, **{"maxmemory-policy": "allkeys-lru"}),
        running_gateway(env=valkey.env, args=["--workers", "1"]) as server,
    ):
        assert eventually(lambda: "allkeys-lru" in server.output())
        lines = [line for line in server.output().splitlines() if "allkeys-lru" in line]

    assert len(lines) == 1
    assert lines[0].startswith("parley: The store at REDIS_URL")
    assert "set noeviction" in lines[0]


@pytest.mark.parametrize(
    ("options", "weakness"),
    [({"maxmemory-policy": "allkeys-lru"}, "noeviction"), ({"appendonly": "no", "save": ""}, "appendonly")],
)
def test_stage_prod_does_not_start_on_a_store_that_loses_messages(
    valkey: Engine, tmp_path: Path, options: dict[str, str], weakness: str
) -> None:
    """With PARLEY_STAGE=prod the start ends with one line that names what to set."""
    env = {**valkey.env, "PARLEY_STAGE": "prod", "PARLEY_AUTH": "required"}
    with configured(valkey, **options):
        ended = run("infra.local", "--port", "0", "--data", str(tmp_path), env=env)

    assert ended.returncode == 1
    assert ended.stderr.count("\n") == 1
    assert weakness in ended.stderr
