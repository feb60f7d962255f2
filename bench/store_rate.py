"""The rate of the store alone: the script of a send with its arguments, from a load generator in C."""

from __future__ import annotations

import shutil
import subprocess

from bench.client_cpu import Noted
from bench.findings import Skipped
from bench.loads import SEND_CHAT, SENDER, TEXT
from bench.wrk import LoadError, Sample
from chalicelib.store.messages.content import Content
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.redis.client import Store

PROGRAMS = ("valkey-benchmark", "redis-benchmark")
CALLS_A_SECOND = 40_000
"""Number of calls for each second of a round, which a faster store ends sooner."""
ALONE_CALLS_A_SECOND = 10_000
"""The same on one connection."""
FIELDS = ("rate", "average", "least", "p50", "p95", "p99", "most")


def program() -> str:
    """Return the path of the load generator; raises Skipped without it."""
    for name in PROGRAMS:
        if path := shutil.which(name):
            return path
    raise Skipped(
        "the store alone, because neither valkey-benchmark nor redis-benchmark is on PATH"
        " (apt-get install redis-tools, or brew install valkey)."
    )


def run(store: str, connections: int, seconds: int) -> Sample:
    """Append messages on a number of connections, for about some seconds.

    store: REDIS_URL of a unix socket; it has run the script before. p90 is the 95th percentile and p999 the
    maximum: the load generator reports no others. Raises Skipped without it, LoadError if it fails.
    """
    count = seconds * (CALLS_A_SECOND if connections > 1 else ALONE_CALLS_A_SECOND)
    command = [program(), "-s", store.removeprefix("unix://"), "-c", str(connections), "-n", str(count)]
    done = subprocess.run([*command, "--csv", *append()], capture_output=True, check=False)
    lines = done.stdout.splitlines()
    if done.returncode or len(lines) < 2:
        raise LoadError(
            f"{command[0]} failed: {(done.stderr or done.stdout).decode(errors='replace').strip()}"
        )
    cells = lines[-1].decode(errors="replace").strip('"').split('","')[-len(FIELDS) :]
    found = dict(zip(FIELDS, map(float, cells), strict=True))
    return Sample(found["rate"], found["p50"], found["p95"], found["p99"], found["most"], 0)


def append() -> list[bytes]:
    """Return the command that appends the message of a send."""
    noted = Noted()
    Store(noted).run(MessageLog().append(SEND_CHAT, Content(SENDER, TEXT)))
    return [part if isinstance(part, bytes) else str(part).encode() for part in noted.command]
