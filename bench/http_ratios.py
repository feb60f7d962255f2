"""Requests a second over HTTP of the compared trees: servers side by side, loaded in turns."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench import http_charts, wrk
from bench.comparison import Turns, columns, decimals, in_turns
from bench.findings import Aim, Findings, Skipped, Table, at_least
from bench.http_rates import AIMED, CROWDED, answer, by_token
from bench.loads import FILL, LOADS, PULL, PULL_CHAT_LENGTH, SEND, Load
from bench.options import LIMITS, Scale, progress
from bench.plots.charts import Chart
from bench.servers import Served, gateway
from bench.trees import BEFORE, NOW, Tree
from bench.wrk import LoadError, Sample
from infra.local.options import EVERYSEC

TURN_SECONDS = 1
RATIO_AIM = 2.5
AUTHENTICATION = {"by name": "open", "by token": "required"}
COUNTS: dict[int, tuple[str, ...]] = {
    1: (SEND.name, PULL.name),
    AIMED: (*(load.name for load in LOADS), "send by token", "pull of 10 by token"),
    CROWDED: (SEND.name, PULL.name, "send by token", "pull of 10 by token"),
    1000: (SEND.name, PULL.name),
}
"""The requests that are made on each number of connections."""

Target = dict[str, tuple[str, Load]]
"""URL and request by name, for one tree."""
Key = tuple[str, int]
Samples = dict[Key, dict[str, list[Sample]]]
"""The samples of each tree by name of the request and number of connections."""


def measure(scale: Scale, trees: Sequence[Tree]) -> Findings:
    """Load each tree's servers in turns; raises Skipped without wrk, or without a commit before."""
    wrk.require()
    if trees[0].name != BEFORE:
        raise Skipped("ratios to a commit before, because none was given (--against).")
    progress("ratios: starting the servers")
    samples: Samples = {}
    failures: list[str] = []
    with contextlib.ExitStack() as running:
        targets = {tree.name: running.enter_context(_targets(tree)) for tree in trees}
        for name, count in ((name, count) for count, names in COUNTS.items() for name in names):
            progress(f"ratios: {name}, {count} connections, {scale.turns} turns of both")
            try:
                samples[name, count] = _loaded(targets, trees, name, count, scale.turns)
            except LoadError as error:
                failures.append(f"{name} before and now, {count} connections: {error}")
    rates = {key: _turns(trees, by_tree, "rate") for key, by_tree in samples.items()}
    tail = {key: _turns(trees, by_tree, "p99") for key, by_tree in samples.items()}
    return Findings(
        [_table(rates, tail, trees, scale)], _aims(rates), failures, _charts(samples), failed=bool(failures)
    )


def _loaded(
    targets: dict[str, Target], trees: Sequence[Tree], name: str, count: int, turns: int
) -> dict[str, list[Sample]]:
    """Make a request of the servers in turns; return the samples of each tree."""
    samples: dict[str, list[Sample]] = {tree.name: [] for tree in trees}
    for tree in in_turns(trees, turns):
        samples[tree.name].append(wrk.run(*targets[tree.name][name], count, TURN_SECONDS))
    return samples


@contextlib.contextmanager
def _targets(tree: Tree) -> Iterator[Target]:
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder, contextlib.ExitStack() as running:
        by_kind: dict[str, Served] = {
            kind: running.enter_context(gateway(Path(folder, auth), _settings(auth), tree))
            for kind, auth in AUTHENTICATION.items()
        }
        url = by_kind["by name"].url
        for _ in range(PULL_CHAT_LENGTH):
            answer(url, FILL)
        closed = by_kind["by token"]
        yield {
            **{load.name: (url, load) for load in LOADS},
            **{f"{load.name} by token": (closed.url, load) for load in by_token(closed)},
        }


def _settings(auth: str) -> dict[str, str]:
    return {"PARLEY_AUTH": auth, "PARLEY_RATE_LIMITS": LIMITS, "PARLEY_DURABILITY": EVERYSEC}


def _turns(trees: Sequence[Tree], by_tree: dict[str, list[Sample]], field: str) -> Turns:
    turns = Turns(trees)
    for tree in trees:
        for sample in by_tree[tree.name]:
            turns.add(tree, getattr(sample, field))
    return turns


def _table(rates: dict[Key, Turns], tail: dict[Key, Turns], trees: Sequence[Tree], scale: Scale) -> Table:
    note = (
        "The servers of both commits, each as its `make run` starts it, run side by side, each with its own"
        f" embedded Valkey and PARLEY_DURABILITY={EVERYSEC}. wrk loads them in {scale.turns} turns of"
        f" {TURN_SECONDS} s. Medians of the turns, and of the ratios of neighbouring turns."
    )
    rows = [
        (name, str(count), *turns.cells(decimals(0)), *tail[name, count].cells(decimals(1)))
        for (name, count), turns in rates.items()
    ]
    headings = "request", "connections", *columns(trees, "requests/s"), *columns(trees, "p99 ms")
    return Table("Requests over HTTP, before and now", note, headings, rows)


def _aims(rates: dict[Key, Turns]) -> list[Aim]:
    return [
        at_least(
            f"{load.name}, {AIMED} connections: rate now / before",
            RATIO_AIM,
            rates[load.name, AIMED].ratio or 0,
        )
        for load in (SEND, PULL)
        if (load.name, AIMED) in rates
    ]


def _charts(samples: Samples) -> list[Chart]:
    def of(name: str, tree: str) -> http_charts.Samples:
        return {count: found[tree] for (request, count), found in samples.items() if request == name}

    named = {load.name: (of(load.name, BEFORE), of(load.name, NOW)) for load in (PULL, SEND)}
    measured = {name: pair for name, pair in named.items() if all(pair)}
    return [http_charts.ratios(measured)] if measured else []
