"""Requests a second and latencies over HTTP by number of connections, also as shares of a bare hello's."""

from __future__ import annotations

import contextlib
import json
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import http_charts, servers, store_rate, wrk
from bench.findings import Aim, Findings, Skipped, Table, at_least, under
from bench.loads import (
    FILL,
    HELLO,
    LOADS,
    MEMBERS,
    PAGE,
    PAGE_V1,
    PING,
    PULL,
    PULL_CHAT_LENGTH,
    SEND,
    SEND_V1,
    Load,
    pulls,
    registration,
    sends,
)
from bench.options import LIMITS, Scale, progress
from bench.plots.charts import Chart
from bench.servers import Served
from bench.wrk import LoadError, Sample
from chalicelib.store.redis.nodes import Command
from infra.local.options import ALWAYS, DISPATCH, EVERYSEC
from infra.local.options import CHALICE as CHALICE_WAY

CONNECTIONS = (1, 20, 100, 1000)
AIMED, CROWDED = 20, 100
OPEN, CLOSED, SYNCED, EVENTS = "by name", "by token", "by name, always", "by name, Chalice"
CHALICE, BARE, PARSER, STORE = "chalice local", "Granian", "httptools", "Valkey"
SETTINGS = {
    OPEN: {"PARLEY_AUTH": "open", "PARLEY_DURABILITY": EVERYSEC},
    CLOSED: {"PARLEY_AUTH": "required", "PARLEY_DURABILITY": EVERYSEC},
    SYNCED: {"PARLEY_AUTH": "open", "PARLEY_DURABILITY": ALWAYS},
    EVENTS: {"PARLEY_AUTH": "open", "PARLEY_DURABILITY": EVERYSEC, DISPATCH: CHALICE_WAY},
}
ONLY_ON = {
    CHALICE: (AIMED,),
    EVENTS: (AIMED, CROWDED),
    SEND_V1.name: (AIMED, CROWDED),
    PAGE_V1.name: (AIMED, CROWDED),
}
"""The servers and requests that are not measured on every number of connections."""
RATIO_AIM, P99_AIM_MS, CROWD_AIM = 0.26, 5.0, 1.0


class Case(NamedTuple):
    """One server under one load."""

    server: str
    load: str
    connections: int


class Target(NamedTuple):
    """A request to a server; command: That a store is asked instead."""

    url: str
    load: Load
    command: Command = ()


Rounds = dict[Case, list[Sample]]


def measure(scale: Scale) -> Findings:
    """Load every server with every request, in rounds; raises Skipped without wrk."""
    wrk.require()
    progress("http: starting the servers")
    failures: dict[Case, str] = {}
    with _servers() as targets:
        samples: Rounds = {case: [] for case in _cases(targets)}
        for number in range(scale.rounds):
            progress(f"http: round {number + 1} of {scale.rounds}")
            for case in [case for case in samples if case not in failures]:
                progress(f"http: {case.load}, {case.server}, {case.connections} connections")
                try:
                    target = targets[case.server, case.load]
                    samples[case].append(_sample(target, case.connections, scale.seconds))
                except LoadError as error:
                    failures[case] = f"{case.load}, {case.server}, {case.connections} connections: {error}"
    found = {case: runs for case, runs in samples.items() if case not in failures}
    rows = list(targets)
    tables = [_rates(rows, found, scale), _shares(rows, found), _latencies(rows, found)]
    return Findings(
        tables, _aims(found), [*_skipped(), *failures.values()], _charts(found), failed=bool(failures)
    )


def _cases(targets: dict[tuple[str, str], Target]) -> list[Case]:
    """Return the cases in the order of a round: all of one number of connections after each other."""
    return [
        Case(server, name, connections)
        for connections in CONNECTIONS
        for server, name in targets
        if connections in ONLY_ON.get(server, ONLY_ON.get(name, CONNECTIONS))
    ]


def _sample(target: Target, connections: int, seconds: int) -> Sample:
    if target.command:
        return store_rate.run(target.url, target.command, connections, seconds)
    return wrk.run(target.url, target.load, connections, seconds)


def _skipped() -> list[str]:
    try:
        store_rate.program()
    except Skipped as reason:
        return [str(reason)]
    return []


@contextlib.contextmanager
def _servers() -> Iterator[dict[tuple[str, str], Target]]:
    """Run the servers; yield the requests by server and name."""
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder, contextlib.ExitStack() as running:
        parley = {
            kind: running.enter_context(
                servers.gateway(Path(folder, str(number)), {"PARLEY_RATE_LIMITS": LIMITS, **settings})
            )
            for number, (kind, settings) in enumerate(SETTINGS.items())
        }
        open_store = parley[OPEN].store
        chalice = running.enter_context(servers.chalice_local(open_store))
        for server in (parley[OPEN], parley[SYNCED], parley[EVENTS]):
            for _ in range(PULL_CHAT_LENGTH):
                answer(server.url, FILL)
        answer(parley[OPEN].url, SEND)
        tokens = by_token(parley[CLOSED])
        yield {
            (PARSER, HELLO.name): Target(running.enter_context(servers.parser_hello()), HELLO),
            (BARE, HELLO.name): Target(running.enter_context(servers.hello()), HELLO),
            **({} if _skipped() else _alone(open_store)),
            **{(OPEN, load.name): Target(parley[OPEN].url, load) for load in LOADS},
            **{(CLOSED, load.name): Target(parley[CLOSED].url, load) for load in tokens},
            **{
                (kind, load.name): Target(parley[kind].url, load)
                for kind in (SYNCED, EVENTS)
                for load in (SEND, PULL)
            },
            **{(CHALICE, load.name): Target(chalice, load) for load in (PING, SEND, PULL)},
        }


def _alone(store: str) -> dict[tuple[str, str], Target]:
    """Return the scripts of a send, for the store of the open server."""
    return {
        (STORE, name): Target(store, Load(name, "", ""), command)
        for name, command in store_rate.commands(store).items()
    }


def by_token(server: Served) -> list[Load]:
    """Return a send and a pull by token, between two accounts."""
    first, second = (json.loads(answer(server.url, registration(one)))["token"] for one in MEMBERS)
    chat = ":".join(MEMBERS)
    send, _ = sends(MEMBERS[0], chat, first)
    pull, _ = pulls(MEMBERS[1], chat, second)
    for _ in range(PAGE):
        answer(server.url, send)
    return [send, pull]


def answer(url: str, load: Load) -> bytes:
    """Make a request once, and return the body of its response."""
    request = urllib.request.Request(  # noqa: S310 # a URL of our own
        url + load.path, load.body.encode(), load.headers, method=load.method
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310
        body: bytes = response.read()
        return body


Rows = list[tuple[str, str]]
Cell = Callable[[Case, list[Sample]], str]


def _rates(rows: Rows, samples: Rounds, scale: Scale) -> Table:
    note = (
        f"Requests a second by number of connections: wrk with {wrk.THREADS} threads, {scale.rounds} rounds"
        f" of {scale.seconds} s, the servers in turn; medians of the rounds. `by name`: an open server"
        f" (PARLEY_AUTH=open), `by token`: a closed one (required), both with PARLEY_DURABILITY={EVERYSEC};"
        f" `always`: PARLEY_DURABILITY={ALWAYS}; `Chalice`: {DISPATCH}={CHALICE_WAY}. Each as `make run`"
        f" starts it, with {servers.workers()} workers and its own embedded Valkey; the bare hellos have"
        f" {servers.cores()} processes. `the script alone`: with the arguments of a send, from a load"
        " generator in C to the open server's Valkey, without Parley; a send runs one script, which"
        " authenticates, appends and writes the inboxes. `chalice local` has one process."
    )
    return Table(
        "Requests over HTTP",
        note,
        _columns(""),
        [(name, server, *_each(server, name, samples, _rate)) for server, name in rows],
    )


def _shares(rows: Rows, samples: Rounds) -> Table:
    note = f"The rates above, divided by that of the bare hello on {BARE} in the same round."

    def share(case: Case) -> str:
        return f"{_share(case, samples):.2f}"

    return Table(
        "Shares of the bare hello's rate",
        note,
        _columns(""),
        [(name, server, *_each(server, name, samples, lambda case, _: share(case))) for server, name in rows],
    )


def _latencies(rows: Rows, samples: Rounds) -> Table:
    note = "p50 / p99 in ms of the requests above, medians of the rounds."
    cells = [(name, server, *_each(server, name, samples, _latency)) for server, name in rows]
    return Table("Latency over HTTP", note, _columns(" ms"), cells)


def _columns(unit: str) -> tuple[str, ...]:
    return "request", "server", *(f"{count:,}{unit}" for count in CONNECTIONS)


def _rate(_case: Case, runs: list[Sample]) -> str:
    return f"{median(run.rate for run in runs):,.0f}{_broken(runs)}"


def _broken(runs: list[Sample]) -> str:
    broken = sum(run.broken for run in runs)
    return f" ({broken} broken)" if broken else ""


def _latency(_case: Case, runs: list[Sample]) -> str:
    return f"{median(run.p50 for run in runs):.2f} / {median(run.p99 for run in runs):.2f}"


def _each(server: str, name: str, samples: Rounds, cell: Cell) -> tuple[str, ...]:
    """Return a cell for each number of connections."""
    cases = [Case(server, name, count) for count in CONNECTIONS]
    return tuple(cell(case, samples[case]) if case in samples else "-" for case in cases)


def _share(case: Case, samples: Rounds) -> float:
    bare = samples[Case(BARE, HELLO.name, case.connections)]
    return median(run.rate / yardstick.rate for run, yardstick in zip(samples[case], bare, strict=True))


def _aims(samples: Rounds) -> list[Aim]:
    aims = []
    for load in (SEND, PULL):
        case, crowded = (Case(OPEN, load.name, count) for count in (AIMED, CROWDED))
        if not {case, crowded} <= samples.keys():
            continue
        name = f"{load.name}, {case.connections} connections"
        pairs = zip(samples[crowded], samples[case], strict=True)
        aims += [
            at_least(f"{name}: share of the bare hello's rate", RATIO_AIM, _share(case, samples)),
            under(f"{name}: p99", P99_AIM_MS, median(run.p99 for run in samples[case]), "ms"),
            at_least(
                f"{load.name}: rate at {CROWDED} connections / at {AIMED}",
                CROWD_AIM,
                median(many.rate / few.rate for many, few in pairs),
            ),
        ]
    return aims


def _charts(samples: Rounds) -> list[Chart]:
    shown = {
        "hello on httptools": (PARSER, HELLO.name),
        "hello on Granian": (BARE, HELLO.name),
        "Valkey alone, a send": (STORE, store_rate.WHOLE_SEND),
        "ping": (OPEN, PING.name),
        "pull of 10": (OPEN, PULL.name),
        "pull by token": (CLOSED, PULL.name),
        "send": (OPEN, SEND.name),
        "send by token": (CLOSED, SEND.name),
    }
    named = {name: _by_connections(samples, *row) for name, row in shown.items()}
    return [
        http_charts.throughput({name: found for name, found in named.items() if found}),
        *(
            http_charts.latency(f"latency-{name.partition(' ')[0]}", name, named[name])
            for name in ("send", "pull of 10")
            if named[name]
        ),
    ]


def _by_connections(samples: Rounds, server: str, name: str) -> dict[int, list[Sample]]:
    return {
        case.connections: runs for case, runs in samples.items() if (case.server, case.load) == (server, name)
    }
