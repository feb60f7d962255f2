"""How many connections each client address has, and which of them are too many."""

from __future__ import annotations

import ipaddress
from collections import Counter

import msgspec

from chalicelib.store.accounts.rate_limits import site_of


class AddressLimit(msgspec.Struct, frozen=True, kw_only=True):
    """How many connections one client address may have to one port of one worker.

    connections: Maximum; 0: no limit. Of IPv6 a network of 64 bits counts as one address. uncounted: networks
    whose connections do not count, such as those of a reverse proxy.
    """

    connections: int = 256
    uncounted: tuple[str, ...] = ("127.0.0.0/8", "::1/128")


class Addresses:
    """Counts the connections of client addresses to one port of this worker; see AddressLimit.

    total: connections of all, those that have no limit among them.
    """

    def __init__(self, limit: AddressLimit) -> None:
        self._most = limit.connections
        self._uncounted = [ipaddress.ip_network(network) for network in limit.uncounted]
        self._open: Counter[str] = Counter()
        self.total = 0

    def enter(self, address: str) -> None:
        """Count a connection."""
        self.total += 1
        if (site := self.site(address)) is not None:
            self._open[site] += 1

    def leave(self, address: str) -> None:
        """Count a connection no more, once for each time that it was counted."""
        self.total -= 1
        if (site := self.site(address)) is not None:
            self._open[site] -= 1
            if not self._open[site]:
                del self._open[site]

    def excess(self, address: str) -> float:
        """Return which part of the limit an address has beyond it; 0: it is within the limit."""
        site = self.site(address)
        return 0 if site is None else max(0, self._open[site] - self._most) / self._most

    def site(self, address: str) -> str | None:
        """Return what an address counts as, or None: it has no limit."""
        if not self._most:
            return None
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return None
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return None if any(parsed in network for network in self._uncounted) else site_of(address)
