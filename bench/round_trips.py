"""The store's work for one call, by the store's own count."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import redis

from bench.findings import Aim, Findings, Table
from bench.in_process import Event, Handler, handler
from bench.loads import LOADS, PING, Load
from bench.options import Scale, progress

PREFIX = "cmdstat_"
WANTED = 1.0
"""Round trips of a call on a single server, where one script does all of a send to a direct chat."""
SCRIPT_CALLS = ("evalsha", "eval")
OUR_OWN = ("info", "config|resetstat")
COLUMNS = ("call", "scripts run", "reads by the store", "µs in the store", "commands inside the script")


class Count(NamedTuple):
    """The store's work for one call, on average; inside: Commands in the script, by name.
    times: Of each call, in seconds.
    """

    scripts: float
    reads: float
    microseconds: float
    inside: dict[str, float]
    times: list[float]


def measure(scale: Scale) -> Findings:
    """Make each call many times, and read `INFO commandstats`."""
    with handler() as made:
        by_token = made.by_token()
        counts = {load: _count(made, load, scale.calls) for load in (*LOADS, *by_token)}
    note = (
        "From `INFO commandstats`, and `total_reads_processed`: how often the store read from the client's"
        " connection, which is the number of round trips."
    )
    rows = [_row(load, count) for load, count in counts.items()]
    aims = [_aim(load, counts[load], WANTED) for load in counts if load != PING]
    return Findings([Table("Round trips of a call", note, COLUMNS, rows)], aims, [])


def _count(made: Handler, load: Load, calls: int) -> Count:
    progress(f"trips: {calls} calls of {load.name}")
    return counted(made, made.events(load, calls + 1))


def counted(made: Handler, events: Sequence[Event]) -> Count:
    """Make calls; the first is not counted, because it may load a script."""
    first, *others = events
    calls, times = len(others), []
    made.call(first)
    made.store.config_resetstat()
    for event in others:
        start = time.perf_counter()
        made.call(event)
        times.append(time.perf_counter() - start)
    info: dict[str, Any] = made.store.info("all")
    by_command = {name.removeprefix(PREFIX): stat for name, stat in info.items() if name.startswith(PREFIX)}
    sent = [by_command.pop(name) for name in SCRIPT_CALLS if name in by_command]
    inside = {name: stat["calls"] / calls for name, stat in by_command.items() if name not in OUR_OWN}
    return Count(
        sum(stat["calls"] for stat in sent) / calls,
        info["total_reads_processed"] / calls,
        sum(stat["usec"] for stat in sent) / calls,
        inside,
        times,
    )


def scripts_of(store: redis.Redis) -> list[dict[str, float]]:
    """Return the calls and the time in µs of each command that runs scripts."""
    stats: dict[str, Any] = store.info("commandstats")
    return [stats[PREFIX + name] for name in SCRIPT_CALLS if PREFIX + name in stats]


def _row(load: Load, count: Count) -> tuple[str, ...]:
    inside = ", ".join(f"{name.upper()} {times:g}" for name, times in sorted(count.inside.items()))
    numbers = f"{count.scripts:.2f}", f"{count.reads:.2f}", f"{count.microseconds:.1f}"
    return load.name, *numbers, inside or "none"


def _aim(load: Load, count: Count, trips: float) -> Aim:
    return Aim(
        f"{load.name}: round trips", f"{trips:g}", f"{count.reads:.2f}", round(count.reads, 1) <= trips
    )
