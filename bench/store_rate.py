"""The rate of the store alone: the scripts of a send with their arguments, from a load generator in C."""

from __future__ import annotations

import shutil
import subprocess
from typing import Any
from unittest.mock import patch

import redis

from bench.client_cpu import Noted
from bench.findings import Skipped
from bench.in_process import handler
from bench.loads import SEND, SEND_CHAT, SENDER, TEXT
from bench.wrk import LoadError, Sample
from chalicelib.store.messages.content import Content
from chalicelib.store.messages.log import APPEND_MESSAGE, MessageLog
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.nodes import FIRST_KEY, Command, SingleNode

PROGRAMS = ("valkey-benchmark", "redis-benchmark")
CALLS_A_SECOND = 40_000
"""Number of calls for each second of a round, which a faster store ends sooner."""
ALONE_CALLS_A_SECOND = 10_000
"""The same on one connection."""
FIELDS = ("rate", "average", "least", "p50", "p95", "p99", "most")
APPEND, WHOLE_SEND = "append, the script alone", "send, the script alone"


def program() -> str:
    """Return the path of the load generator; raises Skipped without it."""
    for name in PROGRAMS:
        if path := shutil.which(name):
            return path
    raise Skipped(
        "the store alone, because neither valkey-benchmark nor redis-benchmark is on PATH"
        " (apt-get install redis-tools, or brew install valkey)."
    )


def run(store: str, command: Command, connections: int, seconds: int) -> Sample:
    """Repeat a command on a number of connections, for about some seconds.

    store: REDIS_URL of a unix socket; it knows the script. p90 is the 95th percentile and p999 the maximum:
    the load generator reports no others. Raises Skipped without it, LoadError if it fails.
    """
    count = seconds * (CALLS_A_SECOND if connections > 1 else ALONE_CALLS_A_SECOND)
    options = ["-s", store.removeprefix("unix://"), "-c", str(connections), "-n", str(count), "--csv"]
    arguments = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    done = subprocess.run([program(), *options, *arguments], capture_output=True, check=False)
    lines = done.stdout.splitlines()
    if done.returncode or len(lines) < 2:
        text = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise LoadError(f"{program()} failed: {text}")
    cells = lines[-1].decode(errors="replace").strip('"').split('","')[-len(FIELDS) :]
    found = dict(zip(FIELDS, map(float, cells), strict=True))
    return Sample(found["rate"], found["p50"], found["p95"], found["p99"], found["most"], 0)


def commands(store: str) -> dict[str, Command]:
    """Return the command that appends a message, and the one that a send makes, for a command line.

    store: REDIS_URL of the open server's Valkey, which has run the second, and gets their scripts.
    """
    noted = Noted()
    Store(noted).run(MessageLog().append(SEND_CHAT, Content(SENDER, TEXT)))
    with redis.Redis.from_url(store) as client:
        client.script_load(APPEND_MESSAGE.source)
        found = {APPEND: noted.command, WHOLE_SEND: _command_of_a_send()}
        return {name: _without_zeros(client, command) for name, command in found.items()}


def _without_zeros(client: redis.Redis, command: Command) -> Command:
    """Return a command whose script puts back the arguments with bytes of zero, which no command line has."""
    parts = [part if isinstance(part, bytes) else str(part).encode() for part in command]
    first = FIRST_KEY + int(parts[FIRST_KEY - 1])
    zeros = {place: part for place, part in enumerate(parts) if place >= first and b"\0" in part}
    lines = [
        f"ARGV[{place - first + 1}] = '{''.join(f'{chr(92)}{byte:03d}' for byte in part)}'"
        for place, part in zeros.items()
    ]
    source: bytes = client.execute_command("SCRIPT SHOW", parts[1])
    flags, _, rest = source.decode().partition("\n")  # its first line, which has to stay the first
    parts[1] = str(client.script_load("\n".join([flags, *lines, rest]))).encode()
    return tuple(b"0" * len(part) if place in zeros else part for place, part in enumerate(parts))


def _command_of_a_send() -> Command:
    """Return the last command of a send in process: on a single server it makes only one."""
    made: list[Command] = []
    execute = SingleNode.execute

    def noting(node: SingleNode, command: Command, *, repeatable: bool) -> Any:
        made.append(command)
        return execute(node, command, repeatable=repeatable)

    with handler() as here:
        warm, event = here.events(SEND, 2)
        here.call(warm)
        with patch.object(SingleNode, "execute", noting):
            here.call(event)
    return made[-1]
