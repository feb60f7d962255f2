"""Many faults at once: in the end every client has every message of its chats once, in order."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict

import pytest

from parley_client import Ack, AsyncClient, Message, State
from tests.client.conftest import SECONDS, Making
from tests.client.scripted_server import Frame, ScriptedServer

pytestmark = [pytest.mark.anyio, pytest.mark.long]
CHATS = ("bob:me", "carol:me", "r-lobby")
MESSAGES = 120
SHORT = {"answer_seconds": 1.0, "ping_seconds": 0.2, "resync_seconds": 0.3, "backoff_cap": 0.1}


class BadNetwork:
    """Pushes messages to clients in part, in any order and twice, and breaks their connections."""

    def __init__(self, server: ScriptedServer, draw: random.Random) -> None:
        self._server = server
        self._draw = draw
        self._late: list[Frame] = []

    async def push(self, message: Frame) -> None:
        """Push a message now, later, twice, or never; sometimes do something worse."""
        self._late += [message] * self._draw.choice([0, 1, 1, 1, 2])
        self._draw.shuffle(self._late)
        while self._late and self._draw.random() < 0.6:
            await self._server.push(self._late.pop())
        peer = self._draw.choice(self._server.peers)
        match self._draw.randrange(30):
            case 0:
                peer.socket.transport.abort()
            case 1:
                peer.stop_reading()
            case 2:
                await peer.socket.close(1001)
            case 3:
                self._server.refusals.append((503, {}))


async def collect(client: AsyncClient, received: dict[str, list[int]], wanted: int) -> None:
    """Record the seqs of a client's messages, until there are enough."""
    while sum(map(len, received.values())) < wanted:
        event = await client.next_event()
        if isinstance(event, Message):
            received[event.chat].append(event.seq)


@pytest.mark.parametrize("seed", range(3))
async def test_each_once_and_in_order(server: ScriptedServer, making: Making, seed: int) -> None:
    """Lost, late and doubled pushes, breaks, refusals, a server that does not read, and new connections."""
    draw = random.Random(seed)
    client = await making(**SHORT, life_seconds=0.5, page_messages=7)
    await client.ready()
    network = BadNetwork(server, draw)
    received: dict[str, list[int]] = defaultdict(list)
    sends: list[asyncio.Task[Ack]] = []
    collecting = asyncio.create_task(collect(client, received, MESSAGES * 5 // 4))
    for number in range(MESSAGES):
        await network.push(server.append(draw.choice(CHATS), str(number)))
        if number % 4 == 0:
            sends.append(asyncio.create_task(client.send(draw.choice(CHATS), f"mine {number}")))
        await asyncio.sleep(0.005)
    async with asyncio.timeout(3 * SECONDS):
        acks = await asyncio.gather(*sends)
        await collecting
    assert len({(ack.chat, ack.seq) for ack in acks}) == len(acks) == MESSAGES // 4
    assert received == {chat: list(range(1, len(log) + 1)) for chat, log in server.logs.items()}


@pytest.mark.parametrize("seed", range(3))
async def test_over_restarts_of_the_client(server: ScriptedServer, making: Making, seed: int) -> None:
    """A client that is ended at any moment goes on from its state: nothing comes twice or is missed."""
    draw = random.Random(seed)
    network = BadNetwork(server, draw)
    received: dict[str, list[int]] = defaultdict(list)
    state = State()
    for round_ in range(8):
        client = await making(state=state, **SHORT)
        await client.ready()
        taken = sum(map(len, received.values()))
        for number in range(15):
            await network.push(server.append(draw.choice(CHATS), f"{round_} {number}"))
        wanted = 8 * 15 if round_ == 7 else taken + draw.randrange(10)
        async with asyncio.timeout(SECONDS):
            await collect(client, received, wanted)
        state = State.from_json(client.state.to_json())
        await client.close()
    assert received == {chat: list(range(1, len(log) + 1)) for chat, log in server.logs.items()}
