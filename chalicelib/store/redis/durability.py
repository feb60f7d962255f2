"""Checks at the start of a server whether its store may lose data."""

from __future__ import annotations

from typing import Any, NamedTuple

import redis
from redis.exceptions import RedisClusterException

from chalicelib.config import Settings
from chalicelib.store.redis.connect import Pool, options_of
from chalicelib.store.redis.credentials import login_of


class Weakness(NamedTuple):
    """A reason why a store may lose data; loses_messages: Also messages, not only expiring data."""

    text: str
    loses_messages: bool


def weaknesses(settings: Settings) -> list[Weakness]:
    """Return the reasons why the servers of a store may lose data, each once.

    The check uses connections of its own. A question that a server does not answer or permit finds no
    weakness: managed stores refuse CONFIG, and the rules of docs/redis.md do not allow INFO.
    """
    found = []
    for pool in _pools(settings):
        info, save = _asked(pool, "INFO"), _asked(pool, "CONFIG", "GET", "save")
        if info is not None:
            found += _of_server(_fields(info), save[1].decode() if save else None)
    return list(dict.fromkeys(found))


def _pools(settings: Settings) -> list[redis.ConnectionPool]:
    """Return a pool for each server that holds keys; empty if the cluster cannot be reached."""
    options = options_of(settings, login_of(settings), settings.redis_timeout)
    if not settings.redis_cluster:
        return [Pool.from_url(settings.redis_url, **options)]
    try:
        cluster = redis.RedisCluster.from_url(settings.redis_url, **options, connection_pool_class=Pool)
    except (redis.RedisError, RedisClusterException):
        return []
    return [node.redis_connection.connection_pool for node in cluster.get_primaries()]


def _asked(pool: redis.ConnectionPool, *command: str) -> Any:
    """Return the raw reply to a command; None: it was refused or not answered."""
    try:
        connection = pool.get_connection()
        try:
            connection.send_command(*command)
            return connection.read_response()
        finally:
            connection.disconnect()
    except redis.RedisError:
        return None


def _of_server(info: dict[str, str], save: str | None) -> list[Weakness]:
    """Return the weaknesses of one server; save: Its CONFIG value; None: unknown."""
    policy = info.get("maxmemory_policy", "noeviction")
    found = []
    if policy.startswith("allkeys"):
        text = f"it drops messages when it is full (maxmemory-policy {policy}): set noeviction"
        found.append(Weakness(text, loses_messages=True))
    elif policy != "noeviction":
        text = f"it drops keys that expire, such as login counters, when full (maxmemory-policy {policy})"
        found.append(Weakness(f"{text}: set noeviction, if the service allows it", loses_messages=False))
    if info.get("aof_enabled") == "0" and save == "":
        text = "it writes nothing to disk, and loses all messages when it stops: set appendonly yes"
        found.append(Weakness(text, loses_messages=True))
    return found


def _fields(info: bytes) -> dict[str, str]:
    lines = info.decode("utf-8", "replace").splitlines()
    return dict(line.split(":", 1) for line in lines if ":" in line)
