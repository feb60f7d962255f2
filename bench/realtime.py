"""What sockets cost, and how fast messages arrive by them."""

from __future__ import annotations

import asyncio
import functools
import json
import re
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

from bench import footprint, socket_load
from bench.findings import Aim, Findings, Table, under
from bench.options import LIMITS, Scale, progress
from bench.servers import free_port, gateway
from bench.socket_load import Client

RATES = (50, 500)
PAIRS = 50
FIRST = 50
"""Connections opened before memory is read: what a worker loads for its first one is not each one's share."""
ROOM_MESSAGES, IN_FLIGHT = 200, 4
SMALL_ROOM, SMALL_ROOM_RATE = 100, 50
P50_MS, P99_MS, ROOM_RATE, DELAY_MS = 5.0, 30.0, 40_000.0, 10.0
HALL, ANNEXE = "hall", "annexe"
SETTINGS = {"PARLEY_RATE_LIMITS": LIMITS, "PARLEY_MAX_MEMBERS": "1001"}  # who made the room is one
TEXT = "thirty-eight characters of plain text."
SEQ = re.compile(rb'"seq":(\d+)')
NUMBER = re.compile(rb'"text":"(\d+)')


class Times(NamedTuple):
    """How long deliveries took, seconds."""

    seconds: list[float]

    @property
    def p50(self) -> float:
        """The median, ms."""
        return median(self.seconds) * 1000

    @property
    def p99(self) -> float:
        """The 99th percentile, ms."""
        return quantiles(self.seconds, n=100, method="inclusive")[98] * 1000

    def row(self, *what: str) -> tuple[str, ...]:
        """A row of a table."""
        slowest = max(self.seconds) * 1000
        return *what, f"{len(self.seconds):,}", f"{self.p50:.2f}", f"{self.p99:.2f}", f"{slowest:.1f}"


class Held(NamedTuple):
    """Memory that a connection takes, KiB, by program; and deliveries between two by messages a second."""

    memory: dict[str, float]
    pairs: dict[int, Times]


class Room(NamedTuple):
    """A room that is written to: until the last client had a message; deliveries a second when it is full."""

    last: Times
    rate: float


class Beside(NamedTuple):
    """Deliveries in a room, and in one where a client reads nothing."""

    without: Times
    beside: Times


def measure(scale: Scale) -> Findings:
    """Hold connections and send between two, then fill a room, then let one of its clients read nothing."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        with gateway(Path(folder), {**SETTINGS, "SOCKET_PORT": str(port)}) as http:
            for name in (HALL, ANNEXE):
                _make_room(http, name)
            url = f"ws://127.0.0.1:{port}"
            held: Held = socket_load.run(lambda: _held(url, scale))
            room: Room = socket_load.run(lambda: _room(url, scale))
            beside: Beside = socket_load.run(lambda: _beside(url, scale))
    return Findings(_tables(held, room, beside, scale), _aims(held, room, beside, scale), [])


async def _held(url: str, scale: Scale) -> Held:
    progress(f"realtime: {scale.connections} connections")
    async with socket_load.connected(url, [f"first{number}" for number in range(FIRST)]):
        before = footprint.kibibytes()
        users = [f"user{number}" for number in range(scale.connections)]
        async with socket_load.connected(url, users) as clients:
            after = footprint.kibibytes()
            memory = {name: (after[name] - before.get(name, 0)) / scale.connections for name in after}
            pairs = {rate: await _pairs(clients[: 2 * PAIRS], rate, scale) for rate in RATES}
    return Held(memory, pairs)


async def _pairs(clients: Sequence[Client], rate: int, scale: Scale) -> Times:
    """Send from one of each pair to the other, one message after the other at a rate, open loop."""
    progress(f"realtime: {rate} messages/s between {PAIRS} pairs")
    count = rate * scale.seconds * scale.rounds
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
        sender.tell({"type": "send", "chat": chat, "id": f"{rate}-{number}", "text": f"{number} {TEXT}"})
    await _until(lambda: len(took) == count)
    for _, receiver in couples:
        receiver.on_message = None
    return Times(took)


async def _room(url: str, scale: Scale) -> Room:
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
            seq = await _say(clients[number], HALL)
            await _until(functools.partial(ended.__contains__, seq))
            last.append(ended[seq] - begin)
        begin = time.perf_counter()
        seqs = await _keep_saying(clients, HALL, ROOM_MESSAGES)
        await _until(lambda: all(seq in ended for seq in seqs))
        seconds = max(ended[seq] for seq in seqs) - begin
        return Room(Times(last), ROOM_MESSAGES * (len(clients) - 1) / seconds)


async def _keep_saying(clients: Sequence[Client], room: str, count: int) -> list[int]:
    """Have some clients say one thing after the other, each once the one before is acknowledged."""

    async def say(client: Client) -> list[int]:
        return [await _say(client, room) for _ in range(count // IN_FLIGHT)]

    return [seq for seqs in await asyncio.gather(*map(say, clients[:IN_FLIGHT])) for seq in seqs]


async def _beside(url: str, scale: Scale) -> Beside:
    users = [f"visitor{number}" for number in range(SMALL_ROOM)]
    async with socket_load.connected(url, users) as clients:
        progress(f"realtime: a room of {SMALL_ROOM}, one of whom reads nothing")
        await _enter(clients, ANNEXE)
        without = await _heard(clients[0], clients[1:], scale)
        clients[-1].stop_reading()
        return Beside(without, await _heard(clients[0], clients[1:-1], scale))


async def _heard(speaker: Client, others: Sequence[Client], scale: Scale) -> Times:
    """Speak in a room at a fixed rate, long enough to fill a peer's buffers; all deliveries but the first."""
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
        speaker.tell({"type": "send", "chat": f"r-{ANNEXE}", "id": f"{begin}-{number}", "text": text})
    await _until(lambda: len(took) == count * len(others))
    for client in others:
        client.on_message = None
    return Times(took)


def _make_room(http: str, name: str) -> None:
    body = json.dumps({"id": name, "name": name}).encode()
    headers = {"Content-Type": "application/json", "X-Parley-User": "host"}
    request = urllib.request.Request(f"{http}/ws/createRoom", body, headers)  # noqa: S310 # a URL of our own
    with urllib.request.urlopen(request, timeout=socket_load.PATIENCE_SECONDS) as answer:  # noqa: S310
        assert answer.status == 200


async def _enter(clients: Sequence[Client], room: str) -> None:
    """Have everybody in a room."""
    for client in clients:
        await client.ask({"type": "room.join", "room": room})


async def _say(client: Client, room: str) -> int:
    ack = await client.ask({"type": "send", "chat": f"r-{room}", "id": str(uuid.uuid4()), "text": TEXT})
    return int(ack["seq"])


async def _until(done: Callable[[], bool]) -> None:
    deadline = time.perf_counter() + socket_load.PATIENCE_SECONDS
    while not done():
        if time.perf_counter() > deadline:
            raise TimeoutError("messages have not arrived")
        await asyncio.sleep(0.005)


def _tables(held: Held, room: Room, beside: Beside, scale: Scale) -> list[Table]:
    what = f"{scale.connections:,} connections held"
    memory = [(name, f"{size:.1f}") for name, size in sorted(held.memory.items())]
    columns = ("what", "deliveries", "p50 ms", "p99 ms", "slowest ms")
    rows = [times.row(f"between two, {rate} messages/s") for rate, times in held.pairs.items()]
    rows += [
        room.last.row(f"a room of {scale.clients:,}: until the last has it"),
        beside.without.row(f"a room of {SMALL_ROOM}, {SMALL_ROOM_RATE} messages/s of 15 kB"),
        beside.beside.row("the same beside a client that reads nothing"),
    ]
    note = (
        f"From sending a frame to its arrival at another client, while {what} (between two);"
        " server, store and all clients share the machine."
    )
    return [
        Table("Memory a connection takes", f"{what}, each after `hello`.", ("program", "KiB"), memory),
        Table("Deliveries by socket", note, columns, rows),
    ]


def _aims(held: Held, room: Room, beside: Beside, scale: Scale) -> list[Aim]:
    fast = held.pairs[RATES[-1]]
    rate = Aim(
        f"deliveries a second in a room of {scale.clients:,}, {IN_FLIGHT} messages under way",
        f"{ROOM_RATE:,.0f} at least",
        f"{room.rate:,.0f}",
        room.rate >= ROOM_RATE,
    )
    delay = beside.beside.p99 - beside.without.p99
    return [
        under(f"between two at {RATES[-1]} messages/s: p50", P50_MS, fast.p50, "ms"),
        under(f"between two at {RATES[-1]} messages/s: p99", P99_MS, fast.p99, "ms"),
        rate,
        under("p99 that a client that reads nothing adds for the others", DELAY_MS, delay, "ms"),
    ]
