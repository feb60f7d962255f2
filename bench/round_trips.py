"""What one call asks of the store, by the store's own count."""

from __future__ import annotations

from typing import Any, NamedTuple

from bench.findings import Aim, Findings, Table
from bench.in_process import Handler, handler
from bench.loads import LOADS, PULL, SEND, Load
from bench.options import Scale, progress

PREFIX = "cmdstat_"
SCRIPT_CALLS = ("evalsha", "eval")
OUR_OWN = ("info", "config|resetstat")
COLUMNS = ("call", "scripts run", "reads by the store", "µs in the store", "commands inside the script")


class Count(NamedTuple):
    """What the store did for one call, on average: times in µs, inside: command -> how often."""

    scripts: float
    reads: float
    microseconds: float
    inside: dict[str, float]


def measure(scale: Scale) -> Findings:
    """Make each call many times, and read `INFO commandstats`."""
    with handler() as made:
        by_token = made.by_token()
        counts = {load: _count(made, load, scale.calls) for load in (*LOADS, *by_token)}
    note = (
        "From `INFO commandstats`, and `total_reads_processed`: how often the store read from the client's"
        " connection, which is how many round trips there were."
    )
    rows = [_row(load, count) for load, count in counts.items()]
    aims = [_aim(load, counts[load], 1.0) for load in (SEND, PULL)]
    aims += [_aim(load, counts[load], 2.0 if "send" in load.name else 1.0) for load in by_token]
    return Findings([Table("Round trips of a call", note, COLUMNS, rows)], aims, [])


def _count(made: Handler, load: Load, calls: int) -> Count:
    progress(f"trips: {calls} calls of {load.name}")
    events = made.events(load, calls + 1)
    made.call(events.pop())  # the first call of a script may have to load it
    made.store.config_resetstat()
    for event in events:
        made.call(event)
    info: dict[str, Any] = made.store.info("all")
    by_command = {name.removeprefix(PREFIX): stat for name, stat in info.items() if name.startswith(PREFIX)}
    sent = [by_command.pop(name) for name in SCRIPT_CALLS if name in by_command]
    inside = {name: stat["calls"] / calls for name, stat in by_command.items() if name not in OUR_OWN}
    return Count(
        sum(stat["calls"] for stat in sent) / calls,
        info["total_reads_processed"] / calls,
        sum(stat["usec"] for stat in sent) / calls,
        inside,
    )


def _row(load: Load, count: Count) -> tuple[str, ...]:
    inside = ", ".join(f"{name.upper()} {times:g}" for name, times in sorted(count.inside.items()))
    numbers = f"{count.scripts:.2f}", f"{count.reads:.2f}", f"{count.microseconds:.1f}"
    return load.name, *numbers, inside or "none"


def _aim(load: Load, count: Count, trips: float) -> Aim:
    return Aim(
        f"{load.name}: round trips", f"{trips:g}", f"{count.reads:.2f}", round(count.reads, 1) <= trips
    )
