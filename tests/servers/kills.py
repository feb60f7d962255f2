"""Senders, and a store that is killed under them: the lost acknowledged messages."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import redis

from tests.servers.gateway import Gateway
from tests.servers.slow_sync import SlowSync
from tests.servers.waiting import eventually

CHAT, SENDER = "alice:bob", "alice"
PAGE = 1000


class Outcome(NamedTuple):
    """The number of messages acknowledged before a kill, and of those lost by it."""

    acknowledged: int
    lost: int


class Senders:
    """Threads that send messages, each as soon as its last one was answered, until they are stopped.

    acknowledged: the texts of those that the server has acknowledged.
    """

    def __init__(self, url: str, name: str, count: int) -> None:
        self.acknowledged: list[str] = []
        self._url = url
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._send, args=(f"{name}.{number}",)) for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the threads and wait for their last answers."""
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _send(self, name: str) -> None:
        sent = 0
        with httpx.Client(timeout=60) as client:
            while not self._over.is_set():
                text, sent = f"{name}.{sent}", sent + 1
                body = {"chat": CHAT, "sender": SENDER, "text": text}
                try:
                    answer = client.post(f"{self._url}/api/send", json=body)
                except httpx.HTTPError:
                    continue
                if answer.status_code == 204:
                    self.acknowledged.append(text)


def killed(
    server: Gateway,
    store: Path,
    disk: SlowSync,
    name: str,
    *,
    sync_seconds: float,
    senders: int,
    messages: int,
) -> Outcome:
    """Kill the store of a server under load, and count what is gone once it is back.

    store: its socket. disk: of the server; each sync takes sync_seconds until the kill. name: what no other
    kill of the server has. messages: how many are acknowledged before.
    """
    with redis.Redis(unix_socket_path=str(store)) as client:
        process = client.info("server")["process_id"]
    disk.seconds = sync_seconds
    load = Senders(server.url, name, senders)
    assert eventually(lambda: len(load.acknowledged) >= messages)
    os.kill(process, signal.SIGKILL)
    disk.seconds = 0.0
    load.stop()
    assert eventually(lambda: _is_healthy(server))
    return Outcome(len(load.acknowledged), len(set(load.acknowledged) - set(_texts(server))))


def _is_healthy(server: Gateway) -> bool:
    return httpx.get(f"{server.url}/health", timeout=60).status_code == 200


def _texts(server: Gateway) -> Iterator[str]:
    cursor, more = 0, True
    while more:
        path = f"/api/pull?chat={CHAT}&cursor={cursor}&limit={PAGE}"
        page = httpx.get(server.url + path, timeout=60).json()
        yield from (message["text"] for message in page["messages"])
        cursor, more = page.get("next_cursor", 0), page["has_more"]
