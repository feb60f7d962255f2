"""The cost of authentication: requests by token against requests by name, in one run."""

from __future__ import annotations

import contextlib
import json
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench import servers, wrk
from bench.findings import Aim, Findings, Table, at_least
from bench.loads import PAGE, Load, pulls, registration, sends
from bench.options import LIMITS, Scale, progress
from bench.wrk import Sample

CONNECTIONS = 20
CALLERS = 8
TURN_SECONDS = 1
"""Seconds of a turn. Turns are short and many, so that other work on the machine affects both servers."""
OPEN, CLOSED = "open, by name", "closed, by token"
SEND_AIM, PULL_AIM = 0.75, 0.85
SETTINGS = {OPEN: {"PARLEY_AUTH": "open"}, CLOSED: {"PARLEY_AUTH": "required", "PARLEY_RATE_LIMITS": LIMITS}}
COLUMNS = ("request", "server", "requests/s", "of open", "p50 ms", "p99 ms", "broken")


class Server(NamedTuple):
    """One of the two servers, and each caller's requests, by name of the request."""

    url: str
    loads: dict[str, list[Load]]


Rounds = dict[tuple[str, str], list[Sample]]


def measure(scale: Scale) -> Findings:
    """Load both servers in turn with the same requests of the same callers; raises Skipped without wrk."""
    wrk.require()
    progress("auth: starting the servers")
    with _servers() as running:
        names = list(running[OPEN].loads)
        samples: Rounds = {(name, kind): [] for name in names for kind in (OPEN, CLOSED)}
        rounds = scale.rounds * scale.seconds
        for number in range(rounds):
            progress(f"auth: round {number + 1} of {rounds}")
            for name in names:
                for kind in (OPEN, CLOSED) if number % 2 else (CLOSED, OPEN):
                    url, loads = running[kind]
                    samples[name, kind].append(wrk.run_in_turn(url, loads[name], CONNECTIONS, TURN_SECONDS))
    return Findings([_table(samples, scale)], [_aim(name, samples) for name in names], [])


@contextlib.contextmanager
def _servers() -> Iterator[dict[str, Server]]:
    with contextlib.ExitStack() as held:
        running = {}
        for kind, settings in SETTINGS.items():
            folder = held.enter_context(tempfile.TemporaryDirectory(prefix="parley-bench-"))
            url = held.enter_context(servers.gateway(Path(folder), settings)).url
            handles = [f"caller{number}" for number in range(CALLERS)]
            tokens = [_token(url, handle) if kind == CLOSED else "" for handle in handles]
            running[kind] = Server(url, _loads(handles, tokens))
            for fill in running[kind].loads["send"] * PAGE:
                _answer(url, fill)
        yield running


def _loads(handles: list[str], tokens: list[str]) -> dict[str, list[Load]]:
    """Return the requests of callers in a ring, each in a chat with the next."""
    loads: dict[str, list[Load]] = {}
    for place, (handle, token) in enumerate(zip(handles, tokens, strict=True)):
        chat = ":".join(sorted((handle, handles[place - 1])))
        for load in (*sends(handle, chat, token), *pulls(handle, chat, token)):
            loads.setdefault(load.name, []).append(load)
    return loads


def _token(url: str, handle: str) -> str:
    token: str = json.loads(_answer(url, registration(handle)))["token"]
    return token


def _answer(url: str, load: Load) -> bytes:
    request = urllib.request.Request(  # noqa: S310 # a URL of our own
        url + load.path, load.body.encode(), load.headers, method=load.method
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
        body: bytes = answer.read()
        return body


def _table(samples: Rounds, scale: Scale) -> Table:
    rounds = scale.rounds * scale.seconds
    note = (
        "Two servers as `make run` starts them, each with its own embedded Valkey: one with PARLEY_AUTH=open,"
        " one with PARLEY_AUTH=required, and rate limits that are counted but not reached. wrk with"
        f" {wrk.THREADS} threads and {CONNECTIONS} connections, {CALLERS} callers in turn, {rounds} rounds of"
        f" {TURN_SECONDS} s, the servers in turn; medians of the rounds. `of open`: the share of the open"
        " server's rate in the same round."
    )
    rows = [_row(name, kind, samples) for name, kind in samples]
    return Table("Requests by token against requests by name", note, COLUMNS, rows)


def _row(name: str, kind: str, samples: Rounds) -> tuple[str, ...]:
    runs = samples[name, kind]
    return (
        name,
        kind,
        f"{median(run.rate for run in runs):,.0f}",
        f"{_share(name, kind, samples):.2f}",
        f"{median(run.p50 for run in runs):.2f}",
        f"{median(run.p99 for run in runs):.2f}",
        str(sum(run.broken for run in runs)),
    )


def _share(name: str, kind: str, samples: Rounds) -> float:
    pairs = zip(samples[name, kind], samples[name, OPEN], strict=True)
    return median(run.rate / trusting.rate for run, trusting in pairs)


def _aim(name: str, samples: Rounds) -> Aim:
    wanted = SEND_AIM if "send" in name else PULL_AIM
    return at_least(f"{name} by token: share of the rate by name", wanted, _share(name, CLOSED, samples))
