"""The CPU time of a server's main threads by parts of Parley, from stacks that its processes sample."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from bench.sampler import sitecustomize
from bench.sampler.sitecustomize import WRITE_SECONDS, Stack

EDGE, HTTP = "edge: loop, read, parse, route, respond", "http/: decode, authenticate, encode"
CHALICE, SERVICES, LOG = "Chalice", "services", "log line"
STORE, STORE_CONNECTION = "store: names, arguments, replies", "store connection: pack, send, wait, parse"
PART_OF: tuple[tuple[str, str], ...] = (
    ("/chalicelib/logs.py", LOG),
    ("/infra/local/line_writer.py", LOG),
    ("/infra/local/terminal_log.py", LOG),
    ("/logging/", LOG),
    ("/chalicelib/store/redis/", STORE_CONNECTION),
    ("/infra/local/pipeline/", STORE_CONNECTION),
    ("/site-packages/redis/", STORE_CONNECTION),
    ("/chalicelib/store/", STORE),
    ("/chalicelib/services/", SERVICES),
    ("/site-packages/chalice/", CHALICE),
    ("/chalicelib/", HTTP),
    ("/app.py", HTTP),
    ("/infra/local/", EDGE),
    ("/granian/", EDGE),
)
"""The part of a file is the first of these whose path is in its name."""
PARTS = (EDGE, HTTP, CHALICE, SERVICES, STORE, STORE_CONNECTION, LOG)
Spent = Mapping[Stack, float]
"""CPU time of stacks, in µs."""


def environ(folder: Path) -> dict[str, str]:
    """Return the variables with which processes sample their stacks, and write them to a folder."""
    return {"PYTHONPATH": str(Path(sitecustomize.__file__).parent), "BENCH_SAMPLES": str(folder)}


def spent(folder: Path) -> Spent:
    """Return the CPU time in µs of each stack so far."""
    time.sleep(2 * WRITE_SECONDS)
    total: defaultdict[Stack, float] = defaultdict(float)
    for path in folder.glob("*.json"):
        for stack, microseconds in json.loads(path.read_bytes()):
            total[tuple(stack)] += microseconds
    return total


def shares(before: Spent, after: Spent) -> dict[str, float]:
    """Return the share of each part in the time between two readings."""
    by_part: defaultdict[str, float] = defaultdict(float)
    for stack, microseconds in after.items():
        by_part[part_of(stack)] += microseconds - before.get(stack, 0.0)
    total = sum(by_part.values())
    return {part: by_part[part] / total for part in PARTS if total}


def part_of(stack: Iterable[str]) -> str:
    """Return the part that a stack belongs to: that of its innermost file with one, else the edge."""
    for file in stack:
        for path, part in PART_OF:
            if path in file:
                return part
    return EDGE  # the event loop, which calls it
