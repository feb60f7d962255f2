"""The permissions that the store's user needs."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from chalicelib.config import Secret
from chalicelib.store.messages.content import Content
from chalicelib.store.redis.client import connect
from chalicelib.store.redis.credentials import ACCESS_STRING
from tests.servers.engines import Engine, TlsClusterEngine
from tests.store.log_records import CHAT, Log, settings_for
from tests.store.store_users import HELLO, WORD, cut_all, refusal, user

DOCS = Path(__file__).parents[3] / "docs"


def test_documented_acl_allows_everything_parley_needs(tls_cluster: TlsClusterEngine) -> None:
    """The store denies its user no command of Parley; the store's tests run as that user."""
    tls_cluster.flush()
    for node in tls_cluster.nodes:
        node.execute_command("ACL LOG RESET")
    store = connect(settings_for(tls_cluster))
    log = Log(store, keep=2)

    store.ping()
    for _ in range(3):
        assert log.append(CHAT, Content("ann", "hello", "id-1")).seq == 1
        log.append(CHAT, HELLO)
    cut_all(tls_cluster)

    assert [entry.seq for entry in log.after(CHAT, 0, 10).entries] == [3, 4]
    assert [node.execute_command("ACL LOG") for node in tls_cluster.nodes] == [[], [], []]
    assert ACCESS_STRING in (DOCS / "redis.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["valkey", "redis7"])
def test_documented_acl_works_on_one_server(request: pytest.FixtureRequest, name: str) -> None:
    """Valkey and Redis both accept the documented rules, which are enough on one server, too."""
    engine: Engine = request.getfixturevalue(name)
    engine.flush()
    with user(engine, "few", ACCESS_STRING):
        settings = settings_for(engine, redis_user="few", redis_password=Secret(WORD))
        assert Log(connect(settings), keep=1).append(CHAT, HELLO).seq == 1


@pytest.mark.parametrize(
    "command",
    [
        "FLUSHALL",
        "KEYS *",
        "SCAN 0",
        "CONFIG GET maxmemory",
        "ACL LIST",
        "CLIENT LIST",
        "CLIENT KILL TYPE normal",
        "SCRIPT FLUSH",
        "FUNCTION FLUSH",
        "INFO",
        "MONITOR",
        "SHUTDOWN",
        "REPLICAOF NO ONE",
        "CLUSTER FORGET x",
        "CLUSTER RESET",
        "BLPOP {c000}:log:a 0",
        "SORT {c000}:log:a",
        "GET other",
        "SUBSCRIBE a",
        "PUBLISH a b",
    ],
)
def test_acl_denies_everything_else(tls_cluster: TlsClusterEngine, command: str) -> None:
    """Parley's user can neither read nor change other keys."""
    options = {"password": tls_cluster.password, "username": tls_cluster.user}
    with (
        redis.Redis.from_url(tls_cluster.url, **{**tls_cluster.admin, **options}) as client,
        pytest.raises(redis.exceptions.NoPermissionError),
    ):
        client.execute_command(*command.split())


@pytest.mark.parametrize("engine_name", ["valkey", "tls_cluster"])
@pytest.mark.parametrize("lacking", ["-rpush", "-evalsha", "resetkeys", "resetkeys ~{u*"])
def test_a_right_that_is_lacking(request: pytest.FixtureRequest, engine_name: str, lacking: str) -> None:
    """A missing permission is named in the log; nothing is written, and permitted calls go on."""
    engine: Engine = request.getfixturevalue(engine_name)
    engine.flush()
    with user(engine, "few", f"{ACCESS_STRING} {lacking}"):
        store = connect(settings_for(engine, redis_user="few", redis_password=Secret(WORD)))
        error = refusal(store)
        store.ping()

    assert "lacks a permission" in str(error)
    assert "docs/redis.md" in str(error)
    assert [node.dbsize() for node in engine.nodes] == [0] * len(engine.nodes)


def test_a_cluster_that_does_not_show_its_slots(tls_cluster: TlsClusterEngine) -> None:
    """The error of a user who may not ask for a cluster's slots names the missing permission."""
    with user(tls_cluster, "few", f"{ACCESS_STRING} -cluster|slots"):
        error = refusal(connect(settings_for(tls_cluster, redis_user="few", redis_password=Secret(WORD))))

    assert "lacks a permission" in str(error)
