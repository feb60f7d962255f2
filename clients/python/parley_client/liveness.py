"""Finds out that a connection has died, without a frame that somebody would have to pay for."""

from __future__ import annotations

import socket
import time
from asyncio.trsock import TransportSocket
from collections.abc import Callable

SLEPT_SECONDS = 5.0
"""Time that only the wall clock counted, from which the machine is taken to have slept."""
# Routers and NAT gateways forget a connection that is silent for some minutes; AWS's own after 350 seconds.
PROBE_SECONDS, PROBE_INTERVAL, PROBES = 60, 15, 4
UNANSWERED_MS = (PROBE_SECONDS + PROBES * PROBE_INTERVAL) * 1000
"""Milliseconds after which the kernel ends a connection whose other end confirms nothing: two minutes."""

OPTIONS = {
    "TCP_KEEPIDLE": PROBE_SECONDS,
    "TCP_KEEPALIVE": PROBE_SECONDS,  # the name of the same on macOS
    "TCP_KEEPINTVL": PROBE_INTERVAL,
    "TCP_KEEPCNT": PROBES,
    "TCP_USER_TIMEOUT": UNANSWERED_MS,
}


def probe(connected: TransportSocket | None) -> None:
    """Have the kernel probe a silent TCP connection, as far as the system knows how.

    The probes keep its place in routers, and end it when the other end is gone. API Gateway bills frames
    alone; whether it ends an idle connection depends on frames alone, too.
    """
    if connected is None:
        return
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in OPTIONS.items():
        if hasattr(socket, name):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class Sleep:
    """Notices that the machine slept: the wall clock goes on meanwhile, the clock of timers does not."""

    def __init__(
        self, wall: Callable[[], float] = time.time, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._apart = wall() - steady()

    def happened(self) -> bool:
        """Return whether it slept since the last question; a wall clock set forward looks the same."""
        before, self._apart = self._apart, self._wall() - self._steady()
        return self._apart - before > SLEPT_SECONDS
