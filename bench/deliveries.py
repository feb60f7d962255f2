"""Deliveries over WebSockets: between two users, in a full room, and beside a client that reads nothing."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import re
import time
import uuid
from collections.abc import Sequence
from statistics import median, quantiles
from typing import NamedTuple

from bench import footprint, socket_load
from bench.options import Scale, progress
from bench.servers import Served
from bench.socket_load import Client

RATES = (50, 500)
PAIRS = 50
FIRST = 50
"""Connections that are open before memory is read: what a worker loads for its first one is not counted."""
ROOM_MESSAGES, IN_FLIGHT = 200, 4
SMALL_ROOM, SMALL_ROOM_RATE = 100, 50
HALL, ANNEXE = "hall", "annexe"
TEXT = "thirty-eight characters of plain text."
SEQ = re.compile(rb'"seq":(\d+)')
NUMBER = re.compile(rb'"text":"(\d+)')


class Times(NamedTuple):
    """The times of deliveries, in seconds."""

    seconds: list[float]

    @property
    def p50(self) -> float:
        """The median, in ms."""
        return median(self.seconds) * 1000

    @property
    def p99(self) -> float:
        """The 99th percentile, in ms."""
        return quantiles(self.seconds, n=100, method="inclusive")[98] * 1000


class Held(NamedTuple):
    """What one server's connections showed.

    memory: KiB of a connection by program. pairs: Deliveries between two users by messages a second, one a
    turn.
    """

    memory: dict[str, float]
    pairs: dict[int, list[Times]]


class Room(NamedTuple):
    """A full room: times until the last client has a message; deliveries a second at full load."""

    last: Times
    rate: float


class SilentClient(NamedTuple):
    """Deliveries in a room without and with a client that reads nothing."""

    without: Times
    with_it: Times


async def hold_connections(servers: Sequence[Served], scale: Scale) -> list[Held]:
    """Measure the memory of idle connections of each server, then deliveries between some, in turns."""
    async with contextlib.AsyncExitStack() as held:
        memory, clients = list[dict[str, float]](), list[list[Client]]()
        for server in servers:
            progress(f"realtime: {scale.connections} connections")
            first = [f"first{number}" for number in range(FIRST)]
            await held.enter_async_context(socket_load.connected(server.sockets, first))
            before = footprint.kibibytes(server.pid)
            users = [f"user{number}" for number in range(scale.connections)]
            clients.append(await held.enter_async_context(socket_load.connected(server.sockets, users)))
            after = footprint.kibibytes(server.pid)
            memory.append({name: (after[name] - before.get(name, 0)) / scale.connections for name in after})
        found = [Held(sizes, {rate: [] for rate in RATES}) for sizes in memory]
        for rate, turn in itertools.product(RATES, range(scale.rounds)):
            for place in range(len(servers)) if turn % 2 else reversed(range(len(servers))):
                times = await _pairs(clients[place][: 2 * PAIRS], rate, turn, scale)
                found[place].pairs[rate].append(times)
    return found


async def _pairs(clients: Sequence[Client], rate: int, turn: int, scale: Scale) -> Times:
    """Send from one of each pair to the other at a fixed rate, without waiting for responses."""
    progress(f"realtime: {rate} messages/s between {PAIRS} pairs")
    count = rate * scale.seconds
    sent, took = [0.0] * count, list[float]()

    def arrived(raw: bytes) -> None:
        found = NUMBER.search(raw)
        if found is not None:
            took.append(time.perf_counter() - sent[int(found.group(1))])

    couples = list(zip(clients[::2], clients[1::2], strict=True))
    for _, receiver in couples:
        receiver.on_message = arrived
    begin = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, begin + number / rate - time.perf_counter()))
        sender, receiver = couples[number % len(couples)]
        sent[number] = time.perf_counter()
        chat = f"{sender.user}:{receiver.user}"
        sender.send(
            {"type": "send", "chat": chat, "id": f"{rate}-{turn}-{number}", "text": f"{number} {TEXT}"}
        )
    await socket_load.until(lambda: len(took) == count)
    for _, receiver in couples:
        receiver.on_message = None
    return Times(took)


async def fill_room(url: str, scale: Scale) -> Room:
    """Measure deliveries in a room of many clients, one message at a time and several at once."""
    users = [f"guest{number}" for number in range(scale.clients)]
    async with socket_load.connected(url, users) as clients:
        progress(f"realtime: a room of {len(clients)} clients")
        await _enter(clients, HALL)
        counts: dict[int, int] = {}
        ended: dict[int, float] = {}

        def arrived(raw: bytes) -> None:
            found = SEQ.search(raw)
            assert found is not None
            seq = int(found.group(1))
            counts[seq] = counts.get(seq, 0) + 1
            if counts[seq] == len(clients) - 1:
                ended[seq] = time.perf_counter()

        for client in clients:
            client.on_message = arrived
        last = []
        for number in range(ROOM_MESSAGES // 4):
            begin = time.perf_counter()
            seq = await _send_one(clients[number], HALL)
            await socket_load.until(functools.partial(ended.__contains__, seq))
            last.append(ended[seq] - begin)
        begin = time.perf_counter()
        seqs = await _send_repeatedly(clients, HALL, ROOM_MESSAGES)
        await socket_load.until(lambda: all(seq in ended for seq in seqs))
        seconds = max(ended[seq] for seq in seqs) - begin
        return Room(Times(last), ROOM_MESSAGES * (len(clients) - 1) / seconds)


async def _send_repeatedly(clients: Sequence[Client], room: str, count: int) -> list[int]:
    """Let some clients send messages, each after the acknowledgement of its last one."""

    async def say(client: Client) -> list[int]:
        return [await _send_one(client, room) for _ in range(count // IN_FLIGHT)]

    return [seq for seqs in await asyncio.gather(*map(say, clients[:IN_FLIGHT])) for seq in seqs]


async def add_silent_client(url: str, scale: Scale) -> SilentClient:
    """Measure deliveries in a room, then again after one client has stopped reading."""
    users = [f"visitor{number}" for number in range(SMALL_ROOM)]
    async with socket_load.connected(url, users) as clients:
        progress(f"realtime: a room of {SMALL_ROOM}, where one client reads nothing")
        await _enter(clients, ANNEXE)
        without = await _speak(clients[0], clients[1:], scale)
        clients[-1].stop_reading()
        return SilentClient(without, await _speak(clients[0], clients[1:-1], scale))


async def _speak(speaker: Client, others: Sequence[Client], scale: Scale) -> Times:
    """Send in a room at a fixed rate, long enough to fill the buffers of a client that does not read."""
    count = SMALL_ROOM_RATE * scale.seconds * scale.rounds
    took, sent = list[float](), dict[int, float]()

    def arrived(raw: bytes) -> None:
        found = NUMBER.search(raw)
        assert found is not None
        took.append(time.perf_counter() - sent[int(found.group(1))])

    for client in others:
        client.on_message = arrived
    begin = time.perf_counter()
    for number in range(count):
        await asyncio.sleep(max(0.0, begin + number / SMALL_ROOM_RATE - time.perf_counter()))
        sent[number] = time.perf_counter()
        text = f"{number} " + "x" * 15_000
        speaker.send({"type": "send", "chat": f"r-{ANNEXE}", "id": f"{begin}-{number}", "text": text})
    await socket_load.until(lambda: len(took) == count * len(others))
    for client in others:
        client.on_message = None
    return Times(took)


async def _enter(clients: Sequence[Client], room: str) -> None:
    """Let all clients join a room."""
    for client in clients:
        await client.ask({"type": "room.join", "room": room})


async def _send_one(client: Client, room: str) -> int:
    ack = await client.ask({"type": "send", "chat": f"r-{room}", "id": str(uuid.uuid4()), "text": TEXT})
    return int(ack["seq"])
