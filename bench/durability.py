"""The cost of the embedded store's durability, and the messages that a kill loses where the disk is slow."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from statistics import median

from bench import servers, wrk
from bench.findings import Aim, Findings, Skipped, Table
from bench.http_rates import answer
from bench.loads import SEND
from bench.options import LIMITS, Scale, progress
from bench.wrk import Sample
from infra.local.options import ALWAYS, EVERYSEC
from tests.servers.gateway import running_gateway
from tests.servers.kills import Outcome, killed
from tests.servers.slow_sync import SlowSync

CHOICES = (EVERYSEC, ALWAYS)
CONNECTIONS = (20,)
SYNC_SECONDS = 0.9
SENDERS = 20
MESSAGES = {EVERYSEC: 200, ALWAYS: 20}
"""Number of acknowledged sends before a kill; fewer where each waits for the disk."""
SYNCS = 50


def measure(scale: Scale) -> Findings:
    """Load a server with each durability in rounds, then kill the stores of both."""
    costs, skipped = _costs(scale)
    lost, aims = _losses(scale)
    return Findings([*costs, *lost], aims, skipped)


def _costs(scale: Scale) -> tuple[list[Table], list[str]]:
    try:
        wrk.require()
    except Skipped as reason:
        return [], [str(reason)]
    samples: dict[tuple[str, int], list[Sample]] = {}
    with tempfile.TemporaryDirectory(prefix="parley-bench-") as folder:
        sync = _sync_milliseconds(Path(folder))
        for choice in CHOICES * scale.rounds:
            progress(f"durability: {choice}")
            data = Path(tempfile.mkdtemp(dir=folder))
            environ = {"PARLEY_DURABILITY": choice, "PARLEY_RATE_LIMITS": LIMITS}
            with servers.gateway(data, environ) as server:
                answer(server.url, SEND)
                for count in CONNECTIONS:
                    sample = wrk.run(server.url, SEND, count, scale.seconds)
                    samples.setdefault((choice, count), []).append(sample)
    return [_cost_table(samples, sync, scale)], []


def _sync_milliseconds(folder: Path) -> float:
    """Return the median time of an fdatasync of a few bytes on a folder's disk, in seconds."""
    times = []
    with (folder / "probe").open("wb", buffering=0) as file:
        for _ in range(SYNCS):
            file.write(bytes(200))
            start = time.perf_counter()
            os.fsync(file.fileno())
            times.append(1000 * (time.perf_counter() - start))
    return median(times)


def _cost_table(samples: dict[tuple[str, int], list[Sample]], sync: float, scale: Scale) -> Table:
    rows = []
    for (choice, count), runs in sorted(samples.items(), key=lambda item: item[0][1]):
        figures = (
            median(run.rate for run in runs),
            median(run.p50 for run in runs),
            max(r.p99 for r in runs),
        )
        rows.append((choice, str(count), *(f"{figure:,.1f}" for figure in figures)))
    note = (
        f"Sends with an id over HTTP, {scale.rounds} rounds of {scale.seconds} s: the median, of p99 the"
        f" largest. An fsync of 200 bytes on this disk takes {sync:.2f} ms (median of {SYNCS})."
    )
    columns = ("PARLEY_DURABILITY", "connections", "sends/s", "p50 ms", "p99 ms")
    return Table("What durability costs", note, columns, rows)


def _losses(scale: Scale) -> tuple[list[Table], list[Aim]]:
    if not SlowSync.supported:
        return [], []
    rows, aims = [], []
    for choice in CHOICES:
        outcomes = [_killed(choice, f"kill {number + 1} of {scale.kills}") for number in range(scale.kills)]
        lost = sum(one.lost for one in outcomes)
        rows.append((choice, str(scale.kills), str(sum(one.acknowledged for one in outcomes)), str(lost)))
        if choice == ALWAYS:
            aims.append(Aim("acknowledged sends lost with always", "0", str(lost), not lost))
    note = (
        f"kill -9 of Valkey under {SENDERS} senders, each fsync taking {SYNC_SECONDS:g} s, each kill on a new"
        " server. The acknowledged messages are looked for after a restart of Valkey."
    )
    columns = ("PARLEY_DURABILITY", "kills", "acknowledged", "lost")
    return [Table("What a kill loses where the disk is slow", note, columns, rows)], aims


def _killed(choice: str, name: str) -> Outcome:
    progress(f"durability: {choice}, {name}")
    environ = {"PARLEY_DURABILITY": choice, "PARLEY_RATE_LIMITS": LIMITS}
    with SlowSync() as disk, running_gateway(environ, ["--workers", "2"], disk) as server:
        return killed(
            server,
            server.data / "valkey.sock",
            disk,
            "kill",
            sync_seconds=SYNC_SECONDS,
            senders=SENDERS,
            messages=MESSAGES[choice],
        )
