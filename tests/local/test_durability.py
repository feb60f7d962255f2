"""What an acknowledgement means, where the disk is slow and the store is killed."""

from __future__ import annotations

import pytest

from tests.servers.gateway import running_gateway
from tests.servers.kills import killed
from tests.servers.slow_sync import SlowSync

SYNC_SECONDS = 0.2
ENV = {"PARLEY_DURABILITY": "always", "PARLEY_RATE_LIMITS": "read=0,write=0,search=0,auth=0,frame=0"}


@pytest.mark.skipif(not SlowSync.supported, reason="only Linux hands its system calls over")
def test_always_loses_nothing_that_was_acknowledged() -> None:
    """With PARLEY_DURABILITY=always a store that is killed while it syncs has all that was answered."""
    with SlowSync() as disk, running_gateway(ENV, ["--workers", "2"], disk) as server:
        store = server.data / "valkey.sock"
        outcome = killed(server, store, disk, "kill", sync_seconds=SYNC_SECONDS, senders=8, messages=8)
    assert outcome.acknowledged >= 8
    assert outcome.lost == 0
