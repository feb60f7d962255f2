"""Detecting dead connections without frames, which API Gateway bills."""

from __future__ import annotations

import socket
import time
from asyncio.trsock import TransportSocket
from collections.abc import Callable

SLEPT_SECONDS = 5.0
"""Difference between the two clocks, in seconds, that means that the machine has slept."""
# Routers and NAT gateways forget a connection after some minutes of silence; those of AWS after 350 seconds.
PROBE_SECONDS, PROBE_INTERVAL, PROBES = 60, 15, 4
UNANSWERED_MS = (PROBE_SECONDS + PROBES * PROBE_INTERVAL) * 1000
"""Milliseconds without confirmation from the peer after which the kernel ends a connection: two minutes."""

OPTIONS = {
    "TCP_KEEPIDLE": PROBE_SECONDS,
    "TCP_KEEPALIVE": PROBE_SECONDS,  # the option's name on macOS
    "TCP_KEEPINTVL": PROBE_INTERVAL,
    "TCP_KEEPCNT": PROBES,
    "TCP_USER_TIMEOUT": UNANSWERED_MS,
}


def probe(connected: TransportSocket | None) -> None:
    """Make the kernel probe a silent TCP connection, as far as the system supports it.

    The probes keep the connection's entry in routers, and end the connection when the peer is gone. API
    Gateway bills only frames, and ends idle connections by frames alone too.
    """
    if connected is None:
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in OPTIONS.items():
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class Sleep:
    """Notices that the machine has slept: the wall clock goes on during sleep, the timers' clock does not."""

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._apart = wall() - steady()

    def happened(self) -> bool:
        """Return whether the machine slept since the last call; a wall clock set forward looks the same."""
        before, self._apart = self._apart, self._wall() - self._steady()
        return self._apart - before > SLEPT_SECONDS
