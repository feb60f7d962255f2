"""The Valkey that a server left behind when it was killed."""

from __future__ import annotations

import contextlib
import socket
import time
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from infra.local.shutdown import StartError

STOP_SECONDS = 10.0
POLL_SECONDS = 0.1


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


def shut_down_orphan(path: Path) -> None:
    """Stop the Valkey that an earlier server left behind; raises StartError if it does not stop."""
    if not _answers(path):
        return
    deadline = time.monotonic() + STOP_SECONDS
    client = redis.Redis(unix_socket_path=str(path), socket_timeout=STOP_SECONDS, retry=Retry(NoBackoff(), 0))
    with contextlib.closing(client), contextlib.suppress(redis.RedisError):
        client.shutdown(nosave=True)
    while _answers(path):
        if time.monotonic() > deadline:
            raise StartError(f"The Valkey of an earlier server still listens on {path}. Stop it.")
        time.sleep(POLL_SECONDS)
