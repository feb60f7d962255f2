"""The memory of WebSocket connections, and the speed of deliveries over them."""

from __future__ import annotations

import json
import tempfile
import urllib.request
from pathlib import Path

from bench import deliveries, socket_load
from bench.deliveries import (
    ANNEXE,
    HALL,
    IN_FLIGHT,
    RATES,
    SMALL_ROOM,
    SMALL_ROOM_RATE,
    Held,
    Room,
    SilentClient,
)
from bench.findings import Aim, Findings, Table, under
from bench.options import LIMITS, Scale
from bench.servers import free_port, gateway

P50_MS, P99_MS, ROOM_RATE, DELAY_MS = 5.0, 30.0, 40_000.0, 10.0
SETTINGS = {"PARLEY_RATE_LIMITS": LIMITS, "PARLEY_MAX_MEMBERS": "1001"}  # 1,000 clients and the creator


def measure(scale: Scale) -> Findings:
    """Measure connections and deliveries between two users, in a full room, and beside a silent client."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        with gateway(Path(folder), {**SETTINGS, "SOCKET_PORT": str(port)}) as http:
            for name in (HALL, ANNEXE):
                _make_room(http, name)
            url = f"ws://127.0.0.1:{port}"
            held: Held = socket_load.run(lambda: deliveries.hold_connections(url, scale))
            room: Room = socket_load.run(lambda: deliveries.fill_room(url, scale))
            silent: SilentClient = socket_load.run(lambda: deliveries.add_silent_client(url, scale))
    return Findings(_tables(held, room, silent, scale), _aims(held, room, silent, scale), [])


def _make_room(http: str, name: str) -> None:
    body = json.dumps({"id": name, "name": name}).encode()
    headers = {"Content-Type": "application/json", "X-Parley-User": "host"}
    request = urllib.request.Request(f"{http}/ws/createRoom", body, headers)  # noqa: S310 # a URL of our own
    with urllib.request.urlopen(request, timeout=socket_load.PATIENCE_SECONDS) as answer:  # noqa: S310
        assert answer.status == 200


def _tables(held: Held, room: Room, silent: SilentClient, scale: Scale) -> list[Table]:
    what = f"{scale.connections:,} open connections"
    memory = [(name, f"{size:.1f}") for name, size in sorted(held.memory.items())]
    columns = ("what", "deliveries", "p50 ms", "p99 ms", "slowest ms")
    rows = [times.row(f"between two, {rate} messages/s") for rate, times in held.pairs.items()]
    rows += [
        room.last.row(f"a room of {scale.clients:,}: until the last has it"),
        silent.without.row(f"a room of {SMALL_ROOM}, {SMALL_ROOM_RATE} messages/s of 15 kB"),
        silent.with_it.row("the same beside a client that reads nothing"),
    ]
    note = (
        f"From sending a frame to its arrival at another client, with {what} (between two);"
        " server, store and all clients share the machine."
    )
    return [
        Table("Memory of a connection", f"{what}, each after `hello`.", ("program", "KiB"), memory),
        Table("Deliveries over WebSockets", note, columns, rows),
    ]


def _aims(held: Held, room: Room, silent: SilentClient, scale: Scale) -> list[Aim]:
    fast = held.pairs[RATES[-1]]
    rate = Aim(
        f"deliveries a second in a room of {scale.clients:,}, {IN_FLIGHT} messages under way",
        f"at least {ROOM_RATE:,.0f}",
        f"{room.rate:,.0f}",
        room.rate >= ROOM_RATE,
    )
    delay = silent.with_it.p99 - silent.without.p99
    return [
        under(f"between two at {RATES[-1]} messages/s: p50", P50_MS, fast.p50, "ms"),
        under(f"between two at {RATES[-1]} messages/s: p99", P99_MS, fast.p99, "ms"),
        rate,
        under("p99 that a client that reads nothing adds for the others", DELAY_MS, delay, "ms"),
    ]
