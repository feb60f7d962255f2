"""Loads a server with wrk, and reads the results."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from bench.findings import Skipped
from bench.loads import ID_CHARACTERS, UNIQUE_ID, Load

SCRIPT = Path(__file__).with_name("load.lua")
IN_TURN = Path(__file__).with_name("callers.lua")
BETWEEN = b"\1"
THREADS = 2
RESULT = "result "
SPARE_SECONDS = 30


class LoadError(Exception):
    """A server responded with errors, so the figures would mean nothing."""


class _Result(msgspec.Struct):
    requests: int
    seconds: float
    p50: float
    p90: float
    p99: float
    p999: float
    refused: int
    broken: int


class Sample(NamedTuple):
    """The results of one run: requests a second, latencies in ms, connections that failed or timed out.

    p999: 99.9th percentile.
    """

    rate: float
    p50: float
    p90: float
    p99: float
    p999: float
    broken: int


def require() -> None:
    """Return if wrk is installed; raises Skipped."""
    if shutil.which("wrk") is None:
        raise Skipped("HTTP, because wrk is not on PATH (apt-get install wrk, or brew install wrk).")


def run(url: str, load: Load, connections: int, seconds: int) -> Sample:
    """Repeat a request to a server, on a number of connections, for some seconds.

    url: Scheme, host and port. Raises LoadError for an unsuccessful response, or for none.
    """
    headers = [part for header in load.headers.items() for part in header]
    script = [str(SCRIPT), url + load.path, "--", _prefix(), load.method, load.body, *headers]
    return _sample(load.name, script, connections, seconds)


def run_in_turn(url: str, loads: Sequence[Load], connections: int, seconds: int) -> Sample:
    """Send requests to a server in turn, all under one name; see `run`."""
    with tempfile.NamedTemporaryFile(prefix="parley-bench-") as file:
        file.write(BETWEEN.join(_in_full(load) for load in loads))
        file.flush()
        script = [str(IN_TURN), url, "--", _prefix(), file.name]
        return _sample(loads[0].name, script, connections, seconds)


def _prefix() -> str:
    return uuid.uuid4().hex[:20]


def _in_full(load: Load) -> bytes:
    """Return a request as it goes over the wire."""
    length = len(load.body.replace(UNIQUE_ID, "0" * ID_CHARACTERS).encode())
    headers = {"Host": "127.0.0.1", **load.headers, **({"Content-Length": str(length)} if load.body else {})}
    lines = [f"{load.method} {load.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", load.body]).encode()


def _sample(name: str, script: Sequence[str], connections: int, seconds: int) -> Sample:
    command = ["wrk", f"-t{min(THREADS, connections)}", f"-c{connections}", f"-d{seconds}s", "-s", *script]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=seconds + SPARE_SECONDS, check=False
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith(RESULT)]
    if not lines:
        raise LoadError(f"wrk failed on {name}: {(done.stderr or done.stdout).strip()}")
    result = msgspec.json.decode(lines[0].removeprefix(RESULT), type=_Result)
    if not result.requests:
        raise LoadError(f"{name}: no request was answered within {seconds} s")
    if result.refused:
        raise LoadError(f"{name}: {result.refused} of {result.requests} answers were errors")
    return Sample(
        result.requests / result.seconds, result.p50, result.p90, result.p99, result.p999, result.broken
    )
