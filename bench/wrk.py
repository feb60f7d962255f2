"""Loads a server with wrk, and reads what it measured."""

from __future__ import annotations

import shutil
import subprocess
import uuid
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.findings import Skipped
from bench.loads import Load

SCRIPT = Path(__file__).with_name("load.lua")
THREADS = 2
RESULT = "result "
SPARE_SECONDS = 30


class LoadError(Exception):
    """A server did not answer as it should have; the figures would mean nothing."""


class _Result(msgspec.Struct):
    requests: int
    seconds: float
    p50: float
    p99: float
    refused: int
    broken: int


class Sample(NamedTuple):
    """What one run of wrk saw: requests a second, latencies in ms, connections that broke or timed out."""

    rate: float
    p50: float
    p99: float
    broken: int


def require() -> None:
    """Return if there is a wrk to run; raises Skipped."""
    if shutil.which("wrk") is None:
        raise Skipped("HTTP, because there is no wrk on PATH (apt-get install wrk, or brew install wrk).")


def run(url: str, load: Load, connections: int, seconds: int) -> Sample:
    """Make a request of a server over and over, on a number of connections, for some seconds.

    url: scheme, host and port. Raises LoadError when an answer is not a success, or there was none.
    """
    headers = [part for header in load.headers.items() for part in header]
    prefix = uuid.uuid4().hex[:20]
    command = ["wrk", f"-t{THREADS}", f"-c{connections}", f"-d{seconds}s", "-s", str(SCRIPT), url + load.path]
    command += ["--", prefix, load.method, load.body, *headers]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds + SPARE_SECONDS, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(RESULT)]
    if not lines:
        raise LoadError(f"wrk failed on {load.name}: {(done.stderr or done.stdout).strip()}")
    result = msgspec.json.decode(lines[0].removeprefix(RESULT), type=_Result)
    if result.refused or not result.requests:
        raise LoadError(f"{load.name}: {result.refused} of {result.requests} answers were errors")
    return Sample(result.requests / result.seconds, result.p50, result.p99, result.broken)
