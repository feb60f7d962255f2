"""Everything that a store holds: each value of each key, in every database of every server."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import redis

from tests.servers.engines import Engine


def keys_with(engine: Engine, secret: str) -> list[str]:
    """Return the keys in whose names or values a secret is found, in whatever usual encoding."""
    wanted = forms_of(secret)
    found = []
    for key, value in contents_of(engine):
        held = (key + b"\n" + value).lower()
        found += [key.decode(errors="replace") for form in wanted if form in held]
    return sorted(set(found))


def contents_of(engine: Engine) -> Iterator[tuple[bytes, bytes]]:
    """Yield each key and all that it holds, in one piece."""
    for node in engine.nodes:
        for database in databases_of(node):
            with other_database(node, database) as client:
                for key in client.scan_iter(count=1000):
                    yield key, b"\n".join(parts_of(value_of(client, key)))


def databases_of(node: redis.Redis) -> list[int]:
    """Return the numbers of the databases that hold keys."""
    held: Any = node.info("keyspace")
    return [int(name.removeprefix("db")) for name in held]


def other_database(node: redis.Redis, database: int) -> redis.Redis:
    """Return a client of the same server for another database."""
    options = {**node.connection_pool.connection_kwargs, "db": database, "decode_responses": False}
    kind = node.connection_pool.connection_class
    return redis.Redis(connection_pool=redis.ConnectionPool(connection_class=kind, **options))


def value_of(client: redis.Redis, key: bytes) -> Any:
    """Return the whole value of a key, of every type that Valkey has."""
    kind: Any = client.type(key)
    reading = {
        b"string": ("GET", key),
        b"list": ("LRANGE", key, 0, -1),
        b"hash": ("HGETALL", key),
        b"set": ("SMEMBERS", key),
        b"zset": ("ZRANGE", key, 0, -1, "WITHSCORES"),
        b"stream": ("XRANGE", key, "-", "+"),
        b"none": ("GET", key),
    }
    return client.execute_command(*reading[kind])


def parts_of(value: Any) -> Iterator[bytes]:
    """Yield all texts in a reply, those in lists and maps too."""
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, dict):
        for pair in value.items():
            yield from parts_of(list(pair))
    elif isinstance(value, list | tuple | set):
        for one in value:
            yield from parts_of(one)


def forms_of(secret: str) -> set[bytes]:
    """Return the lower-cased bytes of a secret's words: as text, hexadecimal and base64."""
    forms: set[bytes] = set()
    for word in secret.split():
        for plain in {
            word.encode(),
            word.casefold().encode(),
            word.upper().encode(),
            word.encode("utf-16-le"),
        }:
            forms |= {plain.lower(), plain.hex().encode()}
            forms |= {base64.b64encode(bytes(shift) + plain)[4:-4].lower() for shift in range(3)}
    return forms
