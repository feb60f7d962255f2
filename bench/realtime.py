"""The memory of WebSocket connections, and the speed of deliveries over them, of the compared trees."""

from __future__ import annotations

import contextlib
import json
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from bench import deliveries, socket_load
from bench.comparison import Turns, columns, decimals, in_turns
from bench.deliveries import ANNEXE, HALL, IN_FLIGHT, RATES, SMALL_ROOM, SMALL_ROOM_RATE, Times
from bench.findings import Aim, Findings, Table, at_least, under
from bench.options import LIMITS, Scale
from bench.servers import Served, gateway
from bench.trees import BEFORE, Tree

P50_MS, P99_MS, ROOM_RATE, DELAY_MS = 5.0, 30.0, 40_000.0, 10.0
NOT_MORE, NOT_LESS = 1.1, 0.9
"""Ratios to the commit before that count as no worse: two runs of one server differ by as much."""
SETTINGS = {"PARLEY_RATE_LIMITS": LIMITS, "PARLEY_MAX_MEMBERS": "1001"}  # 1,000 clients and the creator
ALL = "all programs"
WITHOUT, WITH = "with all reading", "beside one that reads nothing"


class Figures:
    """The figures of the trees: KiB of a connection by program, latencies in ms, and deliveries a second."""

    def __init__(self, trees: Sequence[Tree]) -> None:
        self._trees = trees
        self.memory: dict[str, Turns] = {}
        self.latency: dict[str, Turns] = {}
        self.rates: dict[str, Turns] = {}

    def note_memory(self, sizes: dict[str, dict[str, float]]) -> None:
        """Note the memory of a connection by program, of each tree; a program it lacks takes none."""
        for program in sorted({program for by_program in sizes.values() for program in by_program}):
            self._note(self.memory, program, {name: size.get(program, 0.0) for name, size in sizes.items()})
        self._note(self.memory, ALL, {name: sum(size.values()) for name, size in sizes.items()})

    def note_times(self, what: str, tree: Tree, times: Times) -> None:
        """Note the latencies of a turn."""
        for percentile, figure in (("p50", times.p50), ("p99", times.p99)):
            self.latency.setdefault(f"{what}: {percentile}", Turns(self._trees)).add(tree, figure)

    def note_rate(self, what: str, tree: Tree, rate: float) -> None:
        """Note the deliveries a second of a turn."""
        self.rates.setdefault(what, Turns(self._trees)).add(tree, rate)

    def _note(self, noted: dict[str, Turns], what: str, figures: dict[str, float]) -> None:
        for tree in self._trees:
            noted.setdefault(what, Turns(self._trees)).add(tree, figures[tree.name])


class Names(NamedTuple):
    """The names of the figures of a run."""

    pairs: dict[int, str]
    last: str
    rate: str
    silent: dict[str, str]


def measure(scale: Scale, trees: Sequence[Tree]) -> Findings:
    """Measure connections and deliveries between two users, in a full room, and beside a silent client."""
    figures, names = Figures(trees), _names(scale)
    with contextlib.ExitStack() as running:
        servers = {tree.name: running.enter_context(_served(tree)) for tree in trees}
        _hold(figures, names, servers, trees, scale)
        for tree in in_turns(trees, scale.rounds):
            _fill_room(figures, names, servers[tree.name].sockets, tree, scale)
        for tree in trees:
            _add_silent_client(figures, names, servers[tree.name].sockets, tree, scale)
    return Findings(_tables(figures, trees, scale), _aims(figures, names, trees), [])


def _names(scale: Scale) -> Names:
    room, small = (
        f"a room of {scale.clients:,}",
        f"a room of {SMALL_ROOM}, {SMALL_ROOM_RATE} messages/s of 15 kB",
    )
    return Names(
        {rate: f"between two, {rate} messages/s" for rate in RATES},
        f"{room}: until the last has it",
        f"{room}, {IN_FLIGHT} messages under way",
        {which: f"{small}, {which}" for which in (WITHOUT, WITH)},
    )


@contextlib.contextmanager
def _served(tree: Tree) -> Iterator[Served]:
    with (
        tempfile.TemporaryDirectory(prefix="parley-bench-") as folder,
        gateway(Path(folder), SETTINGS, tree) as server,
    ):
        for name in (HALL, ANNEXE):
            _make_room(server.url, name)
        yield server


def _make_room(http: str, name: str) -> None:
    body = json.dumps({"id": name, "name": name}).encode()
    headers = {"Content-Type": "application/json", "X-Parley-User": "host"}
    request = urllib.request.Request(f"{http}/ws/createRoom", body, headers)  # noqa: S310 # a URL of our own
    with urllib.request.urlopen(request, timeout=socket_load.PATIENCE_SECONDS) as answer:  # noqa: S310
        assert answer.status == 200


def _hold(
    figures: Figures, names: Names, servers: dict[str, Served], trees: Sequence[Tree], scale: Scale
) -> None:
    ordered = [servers[tree.name] for tree in trees]
    held = socket_load.run(lambda: deliveries.hold_connections(ordered, scale))
    figures.note_memory({tree.name: one.memory for tree, one in zip(trees, held, strict=True)})
    for rate in RATES:
        for tree, one in zip(trees, held, strict=True):
            for times in one.pairs[rate]:
                figures.note_times(names.pairs[rate], tree, times)


def _fill_room(figures: Figures, names: Names, url: str, tree: Tree, scale: Scale) -> None:
    room = socket_load.run(lambda: deliveries.fill_room(url, scale))
    figures.note_times(names.last, tree, room.last)
    figures.note_rate(names.rate, tree, room.rate)


def _add_silent_client(figures: Figures, names: Names, url: str, tree: Tree, scale: Scale) -> None:
    silent = socket_load.run(lambda: deliveries.add_silent_client(url, scale))
    figures.note_times(names.silent[WITHOUT], tree, silent.without)
    figures.note_times(names.silent[WITH], tree, silent.with_it)


def _tables(figures: Figures, trees: Sequence[Tree], scale: Scale) -> list[Table]:
    held = f"{scale.connections:,} open connections"
    note = (
        f"From sending a frame to its arrival at another client, with {held} to each server (between two);"
        " servers, stores and all clients share the machine. Medians of turns."
    )
    return [
        _table("Memory of a connection", f"{held}, each after `hello`.", figures.memory, trees, "KiB", 1),
        _table("Deliveries over WebSockets", note, figures.latency, trees, "ms", 2),
        _table(
            "Deliveries a second over WebSockets",
            "In the same runs.",
            figures.rates,
            trees,
            "deliveries/s",
            0,
        ),
    ]


def _table(
    title: str, note: str, figures: dict[str, Turns], trees: Sequence[Tree], unit: str, places: int
) -> Table:
    rows = [(what, *turns.cells(decimals(places))) for what, turns in figures.items()]
    return Table(title, note, ("what", *columns(trees, unit)), rows)


def _aims(figures: Figures, names: Names, trees: Sequence[Tree]) -> list[Aim]:
    fast, rate = names.pairs[RATES[-1]], figures.rates[names.rate].median()
    with_it, without = (figures.latency[f"{names.silent[which]}: p99"].median() for which in (WITH, WITHOUT))
    fixed = [
        under(f"{fast}: p50", P50_MS, figures.latency[f"{fast}: p50"].median(), "ms"),
        under(f"{fast}: p99", P99_MS, figures.latency[f"{fast}: p99"].median(), "ms"),
        Aim(
            f"deliveries a second in {names.rate}",
            f"at least {ROOM_RATE:,.0f}",
            f"{rate:,.0f}",
            rate >= ROOM_RATE,
        ),
        under("p99 that a client that reads nothing adds for the others", DELAY_MS, with_it - without, "ms"),
    ]
    return [*fixed, *(_not_worse(figures, names) if trees[0].name == BEFORE else [])]


def _not_worse(figures: Figures, names: Names) -> list[Aim]:
    """Return the aims of the ratios to the commit before."""
    fast = f"{names.pairs[RATES[-1]]}: p50"
    ratios = [figures.memory[ALL].ratio, figures.latency[fast].ratio, figures.rates[names.rate].ratio]
    memory, latency, rate = (ratio or 0.0 for ratio in ratios)
    return [
        under("memory of a connection: now / before", NOT_MORE, memory, ""),
        under(f"{fast}: now / before", NOT_MORE, latency, ""),
        at_least(f"deliveries a second in {names.rate}: now / before", NOT_LESS, rate),
    ]
