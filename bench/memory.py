"""Measures the memory of data in a store."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import redis

from bench.options import progress
from chalicelib.config import Settings
from chalicelib.store import keys
from chalicelib.store.messages.content import Content
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.redis.client import connect
from tests.servers.engines import Engine

POLL_SECONDS = 0.3
EQUAL_READINGS = 3
DEADLINE_SECONDS = 15.0
DELETED_AT_ONCE = 1000
PATIENCE_SECONDS = 10.0


class Weight(NamedTuple):
    """Memory in bytes: the total by used_memory, and the part that expires."""

    total: int
    expiring: int


class Scales:
    """An empty store.

    store: Parley's connection to it.
    log: Parley's message log on it.
    """

    def __init__(self, engine: Engine) -> None:
        self.node: redis.Redis = engine.nodes[0]
        self.store = connect(Settings(redis_url=engine.url, redis_timeout=PATIENCE_SECONDS))
        self.log = MessageLog()
        info = self.node.info("server")
        self.name = (
            f"Valkey {info['valkey_version']}"
            if "valkey_version" in info
            else f"Redis {info['redis_version']}"
        )

    def weigh(self, what: str, write: Callable[[], None], expiring: str | None = None) -> Weight:
        """Empty the store, write data, and return the memory that it takes.

        expiring: A pattern of the keys that expire.
        """
        progress(f"store: {self.name}, {what}")
        self._warm_up()
        self.node.execute_command("FLUSHALL", "SYNC")
        empty = self._used()
        write()
        full = self._used()
        return Weight(full - empty, full - self._used_without(expiring) if expiring else 0)

    def forget_owed(self) -> None:
        """Clear the outbox, as the sweep does within a minute."""
        self.node.delete(*keys.all_of(keys.outbox))

    def _warm_up(self) -> None:
        """Let the store compile the script, and the connections' buffers grow, before the measurement."""
        for _ in range(2):
            self.store.run(self.log.append("warm:up", Content("warm", "up", "id")))
            self._keys("*")

    def _used_without(self, pattern: str) -> int:
        doomed = self._keys(pattern)
        for start in range(0, len(doomed), DELETED_AT_ONCE):
            self.node.delete(*doomed[start : start + DELETED_AT_ONCE])
        return self._used()

    def _keys(self, pattern: str) -> list[bytes]:
        return list(self.node.scan_iter(pattern, count=DELETED_AT_ONCE))

    def _used(self) -> int:
        """Return used_memory when it has settled: tables of keys grow and shrink in the background."""
        readings: list[int] = []
        deadline = time.monotonic() + DEADLINE_SECONDS
        while len(readings) < EQUAL_READINGS or len(set(readings[-EQUAL_READINGS:])) > 1:
            if readings:
                time.sleep(POLL_SECONDS)
            readings.append(int(self.node.info("memory")["used_memory"]))
            if time.monotonic() > deadline:
                break
        return readings[-1]
