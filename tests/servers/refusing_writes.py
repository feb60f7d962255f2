"""Causes for a real store to refuse writes: no memory, a full disk, failed snapshots, too few replicas."""

from __future__ import annotations

import contextlib
import resource
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import redis

from tests.servers.engines import ValkeyEngine
from tests.servers.waiting import eventually

Refusing = Callable[[ValkeyEngine], AbstractContextManager[None]]
NO_LIMIT = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
PROBE = "{c000}:probe"


@contextlib.contextmanager
def no_memory(engine: ValkeyEngine) -> Iterator[None]:
    """Make a store full."""
    (node,) = engine.nodes
    node.config_set("maxmemory", 1)
    try:
        yield
    finally:
        node.config_set("maxmemory", 0)


@contextlib.contextmanager
def full_disk(engine: ValkeyEngine) -> Iterator[None]:
    """Make a store's files, with an append-only file that is synced once a second, unable to grow."""
    (node,), (server,) = engine.nodes, engine.servers
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
    try:
        assert eventually(lambda: _refuses(node))
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, NO_LIMIT)


@contextlib.contextmanager
def failed_snapshots(engine: ValkeyEngine) -> Iterator[None]:
    """Make a store's snapshots fail."""
    (node,) = engine.nodes
    obstacle = engine.folder / "dump.rdb" / "obstacle"
    obstacle.parent.mkdir()
    obstacle.touch()
    node.config_set("save", "86400 1000000")
    try:
        node.bgsave()
        assert eventually(lambda: _refuses(node))
        yield
    finally:
        obstacle.unlink()
        obstacle.parent.rmdir()
        node.bgsave()


@contextlib.contextmanager
def too_few_replicas(engine: ValkeyEngine) -> Iterator[None]:
    """Make a store require a missing replica for writes."""
    (node,) = engine.nodes
    node.config_set("min-replicas-to-write", 1)
    try:
        yield
    finally:
        node.config_set("min-replicas-to-write", 0)


REFUSALS: dict[str, Refusing] = {
    "no memory": no_memory,
    "full disk": full_disk,
    "failed snapshots": failed_snapshots,
    "too few replicas": too_few_replicas,
}


def _refuses(node: redis.Redis) -> bool:
    try:
        node.set(PROBE, 1)
    except redis.ResponseError:
        return True
    return False
