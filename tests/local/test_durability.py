"""The durability of acknowledged messages, with a slow disk and a killed store."""

from __future__ import annotations

import resource

import httpx
import pytest

from tests.local.processes import store
from tests.local.test_faults import limited
from tests.servers.gateway import Gateway, running_gateway
from tests.servers.kills import killed
from tests.servers.slow_sync import SlowSync
from tests.servers.waiting import eventually

pytestmark = pytest.mark.long

SYNC_SECONDS = 0.2
SENDER = {"X-Parley-User": "a"}
ENV = {"PARLEY_DURABILITY": "always", "PARLEY_RATE_LIMITS": "read=0,write=0,search=0,auth=0,frame=0"}


@pytest.mark.skipif(not SlowSync.supported, reason="only Linux hands its system calls over")
def test_always_loses_nothing_that_was_acknowledged() -> None:
    """With PARLEY_DURABILITY=always a store that is killed while it syncs has all answered messages."""
    with SlowSync() as disk, running_gateway(ENV, ["--workers", "2"], disk) as server:
        outcome = killed(
            server,
            server.data / "valkey.sock",
            disk,
            "kill",
            sync_seconds=SYNC_SECONDS,
            senders=8,
            messages=8,
        )
    assert outcome.acknowledged >= 8
    assert outcome.lost == 0


def write(server: Gateway) -> str | None:
    """Send a message; return the code of the error, or None."""
    answer = httpx.post(f"{server.url}/v1/chats/a:b/messages", json={"text": "x"}, headers=SENDER, timeout=60)
    return None if answer.status_code == 201 else answer.json()["code"]


def refused(server: Gateway, last: str) -> list[str | None]:
    """Write until an answer has a code, and return the code of each answer."""
    codes: list[str | None] = []

    def is_last() -> bool:
        codes.append(write(server))
        return codes[-1] == last

    assert eventually(is_last)
    return codes


def test_always_is_read_while_the_disk_is_full() -> None:
    """A store that fails at a write beyond its disk restarts, refuses more writes, and later takes them."""
    with running_gateway(ENV, ["--workers", "1"]) as server:
        assert write(server) is None
        before = store(server)
        assert before is not None
        with limited(server.process.pid, resource.RLIMIT_FSIZE, 0):
            resource.prlimit(before, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            refusals = refused(server, "store_full")
            assert set(refusals) <= {"store_unavailable", "store_full"}
            held = store(server)
            assert held not in (None, before)
            page = httpx.get(f"{server.url}/v1/chats/a:b/messages", headers=SENDER)
            assert (page.status_code, page.json()["head"]) == (200, 1)
            resource.prlimit(held or 0, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert eventually(lambda: write(server) is None)
        assert store(server) == held
        assert eventually(lambda: "The disk has space again; the store accepts writes." in server.output())
