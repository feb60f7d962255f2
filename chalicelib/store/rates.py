"""Limits of requests a minute, by address; those of users and sessions are taken where these are judged."""

from __future__ import annotations

import ipaddress
from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.client import Query
from chalicelib.store.scripts import Script

TAKE_RATE = Script("take_rate", "gcra")

IPV6_SITE_BITS = 64
"""One subscriber has 2^64 addresses of IPv6 (RFC 6177), and is one."""


class Rate(NamedTuple):
    """A limit after a request.

    limit: requests a minute. left: how many more may pass now. busy: µs until the limit is unused.
    wait: µs until one may pass; 0: this one passed.
    """

    limit: int
    left: int
    busy: int
    wait: int = 0


class Rates:
    """How much of their limits callers have used. Its keys:

    `{u<NNN>}:rates:<handle>`: HASH, expires 60 to 120 s after its last write: class of routes -> state of the
        user, and `<class>:<8 bytes of the token's digest>` -> state of a session.
    `{u<NNN>}:rate:<class>:<address>`: STRING, in the partition of the address, expires 120 s after its last
        write.
        A state is the time in µs at which the limit will be unused again (see lua/gcra.lua).
    """

    @staticmethod
    def take(address: str, kind: str, limit: int) -> Query[Rate]:
        """Return the query that takes one request from an address's limit.

        kind: the class of the route. limit: requests a minute, at least 1.
        """
        named = (keys.rate(site_of(address), kind),)
        return Query(TAKE_RATE, named, (limit,), lambda reply: rate_of(limit, reply))


def rate_of(limit: int, reply: list[Any]) -> Rate:
    """Return the rate in a script's reply."""
    _, left, busy, wait = reply
    return Rate(limit, left, busy, wait)


def site_of(address: str) -> str:
    """Return what an address is limited by: itself, or of IPv6 its network of 64 bits."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if parsed.version == 4:
        return str(parsed)
    if mapped := parsed.ipv4_mapped:
        return str(mapped)
    return str(ipaddress.ip_network((parsed, IPV6_SITE_BITS), strict=False).network_address)
