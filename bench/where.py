"""Where each microsecond of a send goes, of the compared trees: CPU time of all processes by parts."""

from __future__ import annotations

import contextlib
import resource
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from bench import samples, wrk
from bench.comparison import Turns, columns, decimals, in_turns
from bench.cpu_time import cpu_time
from bench.findings import Findings, Table
from bench.loads import SEND
from bench.options import LIMITS, Scale, progress
from bench.plots.axes import Axis
from bench.plots.charts import Bar, Chart
from bench.sampler.sitecustomize import PERIOD_SECONDS
from bench.servers import Served, cores, gateway
from bench.trees import NOW, Tree

CONNECTIONS = 20
NO_MORE: Mapping[str, str] = MappingProxyType({})
OTHERS, STORE, CLIENT, IDLE = "other threads of the server", "Valkey", "wrk", "idle, or other work"
TOTAL = "all: what a send takes of the cores"


class Cost(NamedTuple):
    """µs of a send: CPU of the workers' main threads, their other threads, the store and wrk.

    idle: What the cores have left for each send.
    """

    main: float
    others: float
    store: float
    client: float
    idle: float


def measure(scale: Scale, trees: Sequence[Tree]) -> Findings:
    """Load each server in turns; raises Skipped without wrk or /proc."""
    wrk.require()
    noted: dict[str, Turns] = {}
    with contextlib.ExitStack() as running:
        servers = {tree.name: running.enter_context(_served(tree)) for tree in trees}
        sampled = {tree.name: running.enter_context(_sampled(tree)) for tree in trees}
        for tree in in_turns(trees, scale.rounds):
            progress(f"where: sends on {CONNECTIONS} connections, {tree.name}")
            cost = _cost(servers[tree.name], scale.seconds)
            for part, one in _by_part(cost, _shares(*sampled[tree.name], scale.seconds)).items():
                noted.setdefault(part, Turns(trees)).add(tree, one)
    return Findings([_table(noted, trees, scale)], [], [], [_chart(noted, trees)])


@contextlib.contextmanager
def _served(tree: Tree, environ: Mapping[str, str] = NO_MORE) -> Iterator[Served]:
    settings = {"PARLEY_RATE_LIMITS": LIMITS, **environ}
    with (
        tempfile.TemporaryDirectory(prefix="parley-bench-") as folder,
        gateway(Path(folder), settings, tree) as server,
    ):
        wrk.run(server.url, SEND, CONNECTIONS, 1)
        yield server


@contextlib.contextmanager
def _sampled(tree: Tree) -> Iterator[tuple[Served, Path]]:
    """Run a server whose processes sample their stacks; yield it, and the folder of the samples."""
    with (
        tempfile.TemporaryDirectory(prefix="parley-bench-", ignore_cleanup_errors=True) as name,
        _served(tree, samples.environ(Path(name))) as server,
    ):
        yield server, Path(name)


def _shares(server: Served, folder: Path, seconds: int) -> dict[str, float]:
    """Return the shares of the parts in the CPU time of a load."""
    before = samples.spent(folder)
    wrk.run(server.url, SEND, CONNECTIONS, seconds)
    return samples.shares(before, samples.spent(folder))


def _cost(server: Served, seconds: int) -> Cost:
    before, client = cpu_time(server.pid), _children_seconds()
    sample = wrk.run(server.url, SEND, CONNECTIONS, seconds)
    spent, client = cpu_time(server.pid).since(before), _children_seconds() - client
    sends = sample.rate * seconds
    main, others, store, wrk_itself = (figure / sends for figure in (*spent, client * 1e6))
    rest = cores() * 1e6 / sample.rate - main - others - store - wrk_itself
    return Cost(main, others, store, wrk_itself, max(0.0, rest))


def _children_seconds() -> float:
    """Return the CPU time of ended child processes: between two calls, that of wrk."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _by_part(cost: Cost, shares: dict[str, float]) -> dict[str, float]:
    """Divide the time of the main threads by the shares of the samples."""
    parts = {part: cost.main * share for part, share in shares.items()}
    return {
        **parts,
        OTHERS: cost.others,
        STORE: cost.store,
        CLIENT: cost.client,
        IDLE: cost.idle,
        TOTAL: sum(cost),
    }


def _table(noted: dict[str, Turns], trees: Sequence[Tree], scale: Scale) -> Table:
    note = (
        f"`python -m bench where`: µs of CPU for each send over HTTP by name, with wrk on {CONNECTIONS}"
        f" connections, of all processes of the server (proc(5)), medians of {scale.rounds} turns of"
        f" {scale.seconds} s. The time of the workers' main threads is divided by samples of their stacks,"
        f" every {PERIOD_SECONDS * 1000:g} ms of CPU, in servers of their own: a sample counts for the"
        f" innermost frame of a known part. All parts add up to what the {cores()} cores have for each send."
    )
    rows = [(part, *turns.cells(decimals(1))) for part, turns in noted.items()]
    return Table("Where each microsecond of a send goes", note, ("part", *columns(trees, "µs")), rows)


def _chart(noted: dict[str, Turns], trees: Sequence[Tree]) -> Chart:
    shown = {part: turns for part, turns in noted.items() if part not in (CLIENT, IDLE, TOTAL)}
    bars = [
        Bar(tree.name, [(part, round(turns.median(tree.name), 1)) for part, turns in shown.items()])
        for tree in sorted(trees, key=lambda tree: tree.name == NOW)
    ]
    return Chart(
        "send-by-parts",
        "CPU of a send over HTTP by parts",
        f"A bar for each commit; parts: {', '.join(shown)}.",
        Axis("µs of CPU for each send, all processes of the server"),
        bars=bars,
    )
