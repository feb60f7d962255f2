"""The processes of a server, found by the group that it was started in."""

from __future__ import annotations

import subprocess

from tests.servers.gateway import Gateway

DEADLINE_SECONDS = 30.0


def processes(server: Gateway) -> dict[int, str]:
    """Return the command lines of a server's living processes by their ids."""
    listing = subprocess.run(
        ["ps", "-A", "-ww", "-o", "pid=,pgid=,stat=,args="], check=True, capture_output=True, text=True
    )
    found = {}
    for line in listing.stdout.splitlines():
        pid, group, state, command = line.split(None, 3)
        if int(group) == server.process.pid and not state.startswith("Z"):
            found[int(pid)] = command
    return found


def workers(server: Gateway) -> list[int]:
    """Return the ids of a server's worker processes."""
    return [pid for pid, command in processes(server).items() if "infra.local.worker" in command]


def store(server: Gateway) -> int | None:
    """Return the id of a server's Valkey, if it runs."""
    found = [pid for pid, command in processes(server).items() if "valkey-server" in command]
    return found[0] if found else None
