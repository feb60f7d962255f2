"""The stores that tests run on, and the guard that keeps tests on this machine."""

from __future__ import annotations

import os
import random
import shutil
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from httpx._config import DEFAULT_TIMEOUT_CONFIG  # what httpx's functions wait has no public name
from hypothesis import HealthCheck, settings
from websockets.sync import connection

from chalicelib.store.redis import client
from chalicelib.store.redis.installed import node_of
from tests.servers import command_tables
from tests.servers.engines import (
    ClusterEngine,
    Engine,
    RedisEngine,
    TimelessEngine,
    TlsClusterEngine,
    ValkeyEngine,
)
from tests.servers.serverless_limits import ServerlessNode

pytest_plugins = ["tests.deployed.options", "tests.selection"]

ANSWER_SECONDS = 60.0

# How long an example, or an answer, takes says more of the machine than of Parley. The fixtures that examples
# share are stores and servers, and the like.
HARMLESS = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile("parley", deadline=None, suppress_health_check=HARMLESS)
settings.load_profile("parley")
for part in ("connect", "read", "write", "pool"):
    setattr(DEFAULT_TIMEOUT_CONFIG, part, ANSWER_SECONDS)
# Connections that a test keeps open ping from a thread, at any moment. Hypothesis fails an example during
# whose choice somebody draws from the module `random`.
vars(connection)["random"] = random.Random()


@pytest.fixture(scope="session", autouse=True)
def only_this_machine(pytestconfig: pytest.Config) -> Iterator[None]:
    """Fail a test that connects to anything except 127.0.0.1 or a unix socket, unless --url is elsewhere."""
    if urlsplit(pytestconfig.getoption("--url") or "http://127.0.0.1").hostname != "127.0.0.1":
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _guarded(getattr(socket.socket, name)))
        yield


def _guarded(connect: Callable[[socket.socket, Any], Any]) -> Callable[[socket.socket, Any], Any]:
    def guarded(self: socket.socket, address: Any) -> Any:
        if self.family != socket.AF_UNIX and address[0] != "127.0.0.1":
            pytest.fail(f"tests may reach 127.0.0.1 only, not {address!r}")
        return connect(self, address)

    return guarded


@pytest.fixture(scope="session", autouse=True)
def limits_of_serverless() -> Iterator[None]:
    """Make every store that this process connects to refuse what ElastiCache Serverless refuses."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "node_of", lambda settings: ServerlessNode(node_of(settings)))
        yield


@pytest.fixture(scope="session", autouse=True)
def remembered_tables() -> Iterator[None]:
    """Have redis-py read a server's table of commands once, instead of for each client of a cluster."""
    with command_tables.remembered():
        yield


@pytest.fixture(scope="session")
def valkey() -> Iterator[Engine]:
    """One embedded Valkey."""
    with ValkeyEngine() as engine:
        yield engine


@pytest.fixture(scope="session")
def redis7() -> Iterator[Engine]:
    """One Redis, the system's own; needed where PARLEY_REQUIRE_ENGINES=1, else skipped without one."""
    _skip_without_redis()
    with RedisEngine() as engine:
        yield engine


@pytest.fixture(scope="session")
def cluster() -> Iterator[ClusterEngine]:
    """A cluster of three primaries."""
    with ClusterEngine() as engine:
        yield engine


@pytest.fixture(scope="session")
def timeless_cluster(cluster: ClusterEngine) -> Engine:
    """The cluster, for a user whose scripts may not ask for the time."""
    return TimelessEngine(cluster)


@pytest.fixture(scope="session")
def tls_cluster() -> Iterator[TlsClusterEngine]:
    """Three primaries of the system's Redis with TLS and a user of few permissions; see `redis7`."""
    _skip_without_redis()
    with TlsClusterEngine() as engine:
        yield engine


def _skip_without_redis() -> None:
    if shutil.which("redis-server") is None and os.environ.get("PARLEY_REQUIRE_ENGINES") != "1":
        pytest.skip("no redis-server on PATH")


@pytest.fixture(params=["valkey", "redis7", "cluster", "tls_cluster"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Every kind of store in turn, running and empty, whatever an earlier test left."""
    engine: Engine = request.getfixturevalue(request.param)
    engine.resume()
    engine.start()
    engine.flush()
    return engine
