"""No message is lost, doubled or out of order, whatever happens to clients, workers and the store."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from tests.realtime.history_check import violations
from tests.realtime.history_storm import Storm
from tests.realtime.history_world import LARGE_CHAT
from tests.servers.gateway import running_gateway

pytestmark = pytest.mark.long

SEED = int(os.environ.get("HISTORY_SEED", "20270101"))
ROUNDS = int(os.environ.get("HISTORY_ROUNDS", "1"))
UNREAD_BYTES = 32 * 1024  # more than a page that a client pulls, or it would be dropped for each
VARIABLES = {
    "PARLEY_LARGE_CHAT": str(LARGE_CHAT),
    "PARLEY_LEASE_SECONDS": "10",
    "PARLEY_RATE_LIMITS": "read=0,write=0,search=0,auth=0,frame=0",
    "SHUFFLE_FRAMES": "1",
    "SOCKET_IDLE_SECONDS": "8",
    "SOCKET_LIFE_SECONDS": "15",
    "SOCKET_UNREAD_BYTES": str(UNREAD_BYTES),
}
FAULTS = ("drop", "reordered", "drop_ack", "cut", "hang", "unread")


@pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning"
)  # requests of a client that is killed meanwhile
@pytest.mark.parametrize("seed", range(SEED, SEED + ROUNDS))
def test_every_message_once_in_order(tmp_path: Path, seed: int) -> None:
    """Fifty clients in a storm end with every message of their chats once, in order; no acked one is lost.

    HISTORY_SEED repeats what was drawn in another run, as far as chance allows; HISTORY_ROUNDS has more runs.
    """
    args = ["--data", str(tmp_path), "--workers", "5", "--sweep-seconds", "0.5"]
    with running_gateway(VARIABLES, args) as server:
        storm = Storm(server, tmp_path, seed)
        history = asyncio.run(storm.run())
        output = server.output()
    problems = violations(history)
    assert not problems, "\n".join([f"HISTORY_SEED={seed}", *problems[:40], *output.splitlines()[-40:]])
    assert not storm.resets
    assert all(storm.proxy.counts[fault] for fault in FAULTS), storm.proxy.counts
    assert [line for line in output.splitlines() if line.startswith("parley: Valkey")] == [
        "parley: Valkey died; starting it again.",
        "parley: Valkey is back.",
    ] * 2
    assert '"event":"defect"' not in output, output
