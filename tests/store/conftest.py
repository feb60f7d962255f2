"""A chat's log on every kind of store."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from chalicelib import services
from chalicelib.store.redis.client import Store, connect
from chalicelib.store.redis.connect import Pool
from tests.servers.engines import Engine
from tests.servers.gateway import PATIENCE
from tests.store.log_records import Log, RawClient, settings_for


@pytest.fixture
def store(engine: Engine) -> Store:
    """The store client under test."""
    return connect(settings_for(engine))


@pytest.fixture
def log(store: Store) -> Log:
    """Logs that keep every message."""
    return Log(store)


@pytest.fixture
def raw(engine: Engine) -> Iterator[RawClient]:
    """A client that looks at keys, and damages them, by hand."""
    client: RawClient = (
        redis.RedisCluster.from_url(engine.url, connection_pool_class=Pool, **engine.admin)
        if engine.is_cluster
        else redis.Redis.from_url(engine.url, **engine.admin)
    )
    with client:
        yield client


@pytest.fixture
def app_on_engine(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The app of this process, open, on the engine."""
    monkeypatch.setenv("PARLEY_STAGE", "local")
    monkeypatch.setenv("PARLEY_AUTH", "open")
    for name, value in (PATIENCE | engine.env).items():
        monkeypatch.setenv(name, value)
    services.current.cache_clear()
    yield
    services.current.cache_clear()
