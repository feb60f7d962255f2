"""Connections of a sandbox after a freeze: dead, without a sign of it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest
import redis

from chalicelib import idle
from chalicelib.idle import IDLE_SECONDS
from chalicelib.store.redis.client import Store, connect
from tests.clock import Clock
from tests.servers.engines import Engine
from tests.servers.faults import FreezingProxy
from tests.store.log_records import CHAT, Log, settings_for
from tests.store.redis.test_client import HELLO, seqs

pytestmark = pytest.mark.usefixtures("each_kind_of_node")

CHATS = [f"ann:{name}" for name in "bcdefghij"]
"""Chats on every primary."""
TIMEOUT_SECONDS = 10.0
"""The wait of a call for a dead connection, which no test reaches."""
MONOTONIC, WALL = "monotonic", "time"

CALLS: dict[str, Callable[[Store], object]] = {
    "send": lambda store: Log(store).append(CHAT, HELLO),
    "pull": lambda store: seqs(Log(store)),
    "pipeline": lambda store: store.run_all([Log(store)._log.after(chat, 0, 1) for chat in CHATS]),
    "ping": Store.ping,
}
EVERY_CALL = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
EVERY_END = pytest.mark.parametrize("resets", [False, True], ids=["swallowed", "reset"])


class Frozen:
    """A store behind connections that can be frozen; store: the client under test."""

    def __init__(self, engine: Engine, proxies: list[FreezingProxy]) -> None:
        self._proxies = proxies
        url = f"{'rediss' if engine.url.startswith('rediss') else 'redis'}://127.0.0.1:{proxies[0].port}"
        self.store = connect(settings_for(engine, redis_url=url, redis_timeout=TIMEOUT_SECONDS))
        self.clocks = {name: Clock() for name in (MONOTONIC, WALL)}

    @property
    def connections(self) -> int:
        """How many were opened so far."""
        return sum(proxy.connections for proxy in self._proxies)

    def freeze(self) -> None:
        """Freeze every open connection."""
        for proxy in self._proxies:
            proxy.freeze()

    def pass_time(self, seconds: float) -> None:
        """Advance all clocks."""
        for clock in self.clocks.values():
            clock.now += seconds


@pytest.fixture(params=["valkey", "cluster"])
def frozen(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, resets: bool) -> Iterator[Frozen]:
    """A store, one server or a cluster, with open connections to every primary."""
    engine: Engine = request.getfixturevalue(request.param)
    engine.flush()
    with ExitStack() as stack:
        proxies = {
            upstream: stack.enter_context(FreezingProxy(upstream, resets=resets))
            for upstream in _addresses(engine)
        }

        def remap(address: tuple[str, int]) -> tuple[str, int]:
            return address[0], proxies[address[1]].port

        by_proxies = functools.partial(redis.RedisCluster.from_url, address_remap=remap)
        monkeypatch.setattr(redis.RedisCluster, "from_url", by_proxies)
        world = Frozen(engine, list(proxies.values()))
        for name, clock in world.clocks.items():
            monkeypatch.setattr(idle, name, clock)
        for call in CALLS.values():
            call(world.store)
        yield world


def _addresses(engine: Engine) -> list[int | str]:
    if not engine.is_cluster:
        return [urlsplit(engine.url).path]
    return [node.connection_pool.connection_kwargs["port"] for node in engine.nodes]


@EVERY_END
@EVERY_CALL
def test_first_call_after_a_freeze(frozen: Frozen, call: Callable[[Store], object]) -> None:
    """After a freeze the first call of any kind is answered, and so are later ones."""
    frozen.freeze()
    frozen.pass_time(IDLE_SECONDS + 0.1)

    call(frozen.store)
    for other in CALLS.values():
        other(frozen.store)


@EVERY_END
@pytest.mark.parametrize("frozen", ["tls_cluster"], indirect=True)
def test_first_call_after_a_freeze_by_tls(frozen: Frozen) -> None:
    """The same holds for a cluster with TLS and a login, as on AWS."""
    frozen.freeze()
    frozen.pass_time(IDLE_SECONDS + 0.1)

    for call in CALLS.values():
        call(frozen.store)


@pytest.mark.parametrize("resets", [False], ids=["swallowed"])
@pytest.mark.parametrize("clock", [MONOTONIC, WALL])
def test_either_clock_reveals_a_freeze(frozen: Frozen, clock: str) -> None:
    """Either clock that ran on during a freeze reveals it."""
    frozen.freeze()
    frozen.clocks[clock].now += IDLE_SECONDS + 0.1

    frozen.store.ping()
    assert seqs(Log(frozen.store)) == [1]


@pytest.mark.parametrize("resets", [False], ids=["swallowed"])
def test_a_used_connection_is_kept(frozen: Frozen) -> None:
    """Connections that are used at least every IDLE_SECONDS stay open."""
    before = frozen.connections
    for _ in range(3):
        frozen.pass_time(IDLE_SECONDS)
        for call in CALLS.values():
            call(frozen.store)

    assert frozen.connections == before


@pytest.mark.parametrize("resets", [False], ids=["swallowed"])
def test_a_clock_set_back(frozen: Frozen) -> None:
    """A wall clock that is set back hides no freeze, and closes no connection."""
    before = frozen.connections
    frozen.clocks[WALL].now -= 3600
    frozen.store.ping()
    assert frozen.connections == before

    frozen.freeze()
    frozen.clocks[WALL].now -= 3600
    frozen.clocks[MONOTONIC].now += IDLE_SECONDS + 0.1
    frozen.store.ping()
