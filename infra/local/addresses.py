"""How many connections each client address has, and which of them are too many."""

from __future__ import annotations

import ipaddress
from collections import Counter

from chalicelib.store.rates import site_of
from infra.local.sockets.shared import AddressLimit


class Addresses:
    """Counts the connections of client addresses to one port of this worker; see AddressLimit."""

    def __init__(self, limit: AddressLimit) -> None:
        self._most = limit.connections
        self._uncounted = [ipaddress.ip_network(network) for network in limit.uncounted]
        self._open: Counter[str] = Counter()

    def enter(self, address: str) -> None:
        """Count a connection."""
        if self.counts(address):
            self._open[site_of(address)] += 1

    def leave(self, address: str) -> None:
        """Count a connection no more, once for each time that it was counted."""
        if self.counts(address):
            site = site_of(address)
            self._open[site] -= 1
            if not self._open[site]:
                del self._open[site]

    def excess(self, address: str) -> float:
        """Return which part of the limit an address has beyond it; 0: it is within the limit."""
        if not self.counts(address):
            return 0
        return max(0, self._open[site_of(address)] - self._most) / self._most

    def counts(self, address: str) -> bool:
        """Say whether an address has a limit."""
        if not self._most:
            return False
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return False
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return not any(parsed in network for network in self._uncounted)
