"""The tables of servers' commands, which redis-py reads again for each client of a cluster.

A table is some 200 KB: reading it takes longer than a short test.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from redis import utils
from redis._parsers import CommandsParser

_read: Callable[[CommandsParser, redis.RedisCluster], None] = CommandsParser.initialize
_tables: dict[str, dict[str, Any]] = {}


def forget() -> None:
    """Have the next client of each server read its table again."""
    _tables.clear()


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    """Read the table of each server once, and redis-py's own version once instead of at each connection."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CommandsParser, "initialize", _initialize)
        patch.setattr(utils, "get_lib_version", functools.cache(utils.get_lib_version))
        yield


def _initialize(parser: CommandsParser, client: redis.RedisCluster) -> None:
    """Give a new parser the server's table; one that misses a command in its own reads it again."""
    server = client.get_default_node().name
    if parser.commands or server not in _tables:
        _read(parser, client)
        _tables[server] = parser.commands
    parser.commands = _tables[server]
