"""Requests a second and latencies over HTTP, also as shares of a bare server's rate."""

from __future__ import annotations

import contextlib
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import servers, wrk
from bench.findings import Aim, Findings, Table, at_least, under
from bench.loads import FILL, HELLO, LOADS, PING, PULL, PULL_CHAT_LENGTH, SEND, Load
from bench.options import Scale, progress
from bench.wrk import Sample

CONNECTIONS = (20, 100)
GATEWAY, CHALICE, BARE = "Parley", "chalice local", "bare hello"
COLUMNS = ("request", "server", "connections", "requests/s", "of bare", "p50 ms", "p99 ms", "broken")

RATIO_AIM = 0.25
P99_AIM_MS = 5.0


class Case(NamedTuple):
    """One server under one load."""

    server: str
    load: Load
    connections: int


Rounds = dict[Case, list[Sample]]

CASES = tuple(
    Case(server, load, connections)
    for connections in CONNECTIONS
    for server, load in (
        (BARE, HELLO),
        *((GATEWAY, load) for load in LOADS),
        *((CHALICE, load) for load in (PING, SEND, PULL)),
    )
)


def measure(scale: Scale) -> Findings:
    """Load every server with every request, in rounds; raises Skipped without wrk."""
    wrk.require()
    progress("http: starting the servers")
    samples: Rounds = {case: [] for case in CASES}
    with _servers() as urls:
        for number in range(scale.rounds):
            for case in CASES:
                progress(f"http: round {number + 1} of {scale.rounds}, {_name(case)}")
                samples[case].append(wrk.run(urls[case.server], case.load, case.connections, scale.seconds))
    return Findings([_table(samples, scale)], _aims(samples), [])


@contextlib.contextmanager
def _servers() -> Iterator[dict[str, str]]:
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder, contextlib.ExitStack() as running:
        data = Path(folder)
        urls = {
            BARE: running.enter_context(servers.hello()),
            GATEWAY: running.enter_context(servers.gateway(data)),
            CHALICE: running.enter_context(servers.chalice_local(servers.gateway_store(data))),
        }
        for _ in range(PULL_CHAT_LENGTH):
            _post(urls[GATEWAY], FILL)
        yield urls


def _post(url: str, load: Load) -> None:
    request = urllib.request.Request(  # noqa: S310 # a URL of our own
        url + load.path, load.body.encode(), load.headers, method=load.method
    )
    urllib.request.urlopen(request, timeout=10).close()  # noqa: S310


def _table(samples: Rounds, scale: Scale) -> Table:
    note = (
        f"wrk with {wrk.THREADS} threads, {scale.rounds} rounds of {scale.seconds} s, the servers in turn;"
        f" medians of the rounds. Parley and the bare hello have {servers.workers()} worker processes each,"
        " `chalice local` has one process. It and Parley share the embedded Valkey with its append-only file."
        " `of bare`: the share of the bare hello's rate in the same round. `broken`: connections that failed"
        " or timed out."
    )
    return Table("Requests over HTTP", note, COLUMNS, [_row(case, samples) for case in CASES])


def _row(case: Case, samples: Rounds) -> tuple[str, ...]:
    runs = samples[case]
    return (
        case.load.name,
        case.server,
        str(case.connections),
        f"{median(run.rate for run in runs):,.0f}",
        f"{_share(case, samples):.2f}",
        f"{median(run.p50 for run in runs):.2f}",
        f"{median(run.p99 for run in runs):.2f}",
        str(sum(run.broken for run in runs)),
    )


def _share(case: Case, samples: Rounds) -> float:
    bare = samples[Case(BARE, HELLO, case.connections)]
    return median(run.rate / yardstick.rate for run, yardstick in zip(samples[case], bare, strict=True))


def _aims(samples: Rounds) -> list[Aim]:
    aims = []
    for load in (SEND, PULL):
        case = Case(GATEWAY, load, CONNECTIONS[0])
        name = f"{load.name}, {case.connections} connections"
        aims += [
            at_least(f"{name}: share of the bare hello's rate", RATIO_AIM, _share(case, samples)),
            under(f"{name}: p99", P99_AIM_MS, median(run.p99 for run in samples[case]), "ms"),
        ]
    return aims


def _name(case: Case) -> str:
    return f"{case.connections} connections: {case.load.name} on {case.server}"
