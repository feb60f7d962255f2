"""A store that is started again on a full disk: it is read, and takes no writes until there is room."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from infra.local.data import DataFolder, write_error
from infra.local.shutdown import Shutdown, warn

REFUSING = {"min-replicas-to-write": "1", "save": "86400 1000000000"}
"""Options of a Valkey that has no replica: it refuses every write, and may be asked for a snapshot."""
TAKING = {"min-replicas-to-write": "0", "save": ""}
SNAPSHOT = "dump.rdb"
LOOK_SECONDS = 1.0


def hold(data: DataFolder, shutdown: Shutdown) -> None:
    """Have a Valkey that was started with REFUSING take writes once its disk has room, in a thread."""
    warn("The disk is full: the store accepts no writes until it has space.")
    threading.Thread(target=_hold, args=(data, shutdown.wait), daemon=True).start()


def _hold(data: DataFolder, is_over: Callable[[float], bool]) -> None:
    client = redis.Redis(unix_socket_path=str(data.socket), retry=Retry(NoBackoff(), 0))
    with contextlib.closing(client), contextlib.suppress(redis.RedisError):
        client.bgsave()  # once it has failed, writes are refused as by a full disk (MISCONF)
        while write_error(data.path):
            if is_over(LOOK_SECONDS):
                return
        client.execute_command("CONFIG SET", *(part for option in TAKING.items() for part in option))
        warn("The disk has space again; the store accepts writes.")
    with contextlib.suppress(OSError):
        (data.path / SNAPSHOT).unlink()
