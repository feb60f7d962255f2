"""The sizes of a measurement."""

from __future__ import annotations

import sys
import time
from typing import NamedTuple


class Scale(NamedTuple):
    """The sizes of one run.

    rounds, seconds: Number and length of the rounds in which a server is loaded.
    turns: Number of turns of one second in which two servers are loaded alternately.
    calls: Handler calls in a round.
    messages: Messages of one long chat whose memory is measured.
    lengths: Numbers of messages of the chats whose cost is measured.
    chats: Number of small chats.
    processes: Processes in which an import is timed.
    connections: Connections open at once.
    clients: Clients of a room.
    kills: Kills of each store.
    """

    rounds: int
    seconds: int
    turns: int
    calls: int
    messages: int
    lengths: tuple[int, ...]
    chats: int
    processes: int
    connections: int
    clients: int
    kills: int


FULL = Scale(
    rounds=3,
    seconds=2,
    turns=5,
    calls=3000,
    messages=100_000,
    lengths=(1, 1_000, 100_000, 1_000_000),
    chats=20_000,
    processes=7,
    connections=2_000,
    clients=1_000,
    kills=6,
)
QUICK = Scale(
    rounds=1,
    seconds=1,
    turns=1,
    calls=500,
    messages=10_000,
    lengths=(1, 1_000, 20_000),
    chats=2_000,
    processes=3,
    connections=200,
    clients=100,
    kills=1,
)

CALL_ROUNDS = 5
LIMITS = "read=9999999,write=9999999,search=9999999,auth=9999999,frame=9999999"
"""A value of PARLEY_RATE_LIMITS with which requests are counted and none is refused."""


STARTED = time.monotonic()


def progress(text: str) -> None:
    """Show what is being measured, and the minutes and seconds since the start."""
    minutes, seconds = divmod(int(time.monotonic() - STARTED), 60)
    print(f"bench: {minutes:2d}:{seconds:02d} {text}", file=sys.stderr, flush=True)
