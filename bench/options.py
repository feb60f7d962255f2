"""How much is measured."""

from __future__ import annotations

import sys
from typing import NamedTuple


class Scale(NamedTuple):
    """The sizes of one run.

    rounds, seconds: how often, and how long each time, a server is loaded.
    calls: handler calls a round. messages: of one long chat. chats: tiny chats made. processes: started to
    time an import. connections: held at once. clients: of a room. kills: of each store.
    """

    rounds: int
    seconds: int
    calls: int
    messages: int
    chats: int
    processes: int
    connections: int
    clients: int
    kills: int


FULL = Scale(
    rounds=3,
    seconds=3,
    calls=3000,
    messages=100_000,
    chats=20_000,
    processes=9,
    connections=2_000,
    clients=1_000,
    kills=10,
)
QUICK = Scale(
    rounds=1,
    seconds=1,
    calls=500,
    messages=10_000,
    chats=2_000,
    processes=3,
    connections=200,
    clients=100,
    kills=1,
)

CALL_ROUNDS = 5
LIMITS = "read=9999999,write=9999999,search=9999999,auth=9999999,frame=9999999"
"""PARLEY_RATE_LIMITS: requests are counted, and none is refused."""


def progress(text: str) -> None:
    """Tell the person who waits what is being measured."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
