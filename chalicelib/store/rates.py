"""Limits of requests a minute, by address, and by user and session."""

from __future__ import annotations

import ipaddress
from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.client import Query
from chalicelib.store.scripts import Script

TAKE_RATE = Script("take_rate", "gcra")
CHARGE_USER = Script("charge_user", "gcra", "user_limits")

SESSION_BYTES = 8
"""Of a token's digest: they name its session."""

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
    """How much of their limits callers have used.

    A request may cost more than one: it counts as so many. One that costs more than the whole limit passes
    when nothing is in use, and takes all of it. Its keys:

    `{u<NNN>}:rates:<handle>`: HASH, expires 60 to 120 s after its last write: class of routes -> state of the
        user, and `<class>:<8 bytes of the token's digest>` -> state of a session.
    `{u<NNN>}:rate:<class>:<address>`: STRING, in the partition of the address, expires 120 s after its last
        write.
        A state is the time in µs at which the limit will be unused again (see lua/gcra.lua).
    """

    @staticmethod
    def take(address: str, kind: str, limit: int, cost: int = 1) -> Query[Rate]:
        """Return the query that takes a request from an address's limit.

        kind: the class of the route. limit: requests a minute, at least 1. cost: at least 1.
        """
        named = (keys.rate(site_of(address), kind),)
        return Query(TAKE_RATE, named, (limit, cost), lambda reply: rate_of(limit, reply))

    @staticmethod
    def of_user(
        handle: str, session: bytes, kind: str, limit: int, cost: int = 1, *, done: bool = False
    ) -> Query[Rate]:
        """Return the query that takes a request from the limits of a user and a session, judging nobody.

        session: the digest of its token; empty: of a signed identity. kind: the class of the request.
        limit: requests a minute of a session; 0: no limit. cost: at least 1. done: it has been done already,
        so that it is taken even where less is left: later ones wait the longer, two minutes at most.
        """
        args = (kind, session[:SESSION_BYTES], limit, cost, int(done))
        return Query(CHARGE_USER, (keys.rates(handle),), args, lambda reply: rate_of(limit, reply))


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
