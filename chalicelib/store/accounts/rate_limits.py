"""Limits of requests a minute, by address, and by user and session."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.redis.query import Batch, Query
from chalicelib.store.redis.scripts import Script

TAKE_ADDRESS_LIMIT = Script("accounts/take_address_limit", spares_writes=True)
TAKE_USER_LIMIT = Script("accounts/take_user_limit", spares_writes=True)

SESSION_BYTES = 8
"""Of a token's digest: they name its session."""

IPV6_SITE_BITS = 64
"""One network has 2^64 addresses of IPv6, and is one."""
IPV6_SUBSCRIBER_BITS = 56
"""One subscriber may have 256 of those networks (RFC 6177)."""
SUBSCRIBER_SHARE = 2
"""How many times the limit of a network a subscriber may use."""


class Rate(NamedTuple):
    """A limit after a request.

    limit: requests a minute. left: how many more may pass now. busy: µs until the limit is unused.
    wait: µs until one may pass; 0: this one passed.
    """

    limit: int
    left: int
    busy: int
    wait: int = 0


class RateLimits:
    """How much of their limits callers have used.

    A request may cost more than one: it counts as so many. One that costs more than the whole limit passes
    when nothing is in use, and takes all of it. Its keys:

    `{u<NNN>}:rates:<handle>`: HASH, expires 60 to 120 s after its last write: class of routes -> state of the
        user, and `<class>:<8 bytes of the token's digest>` -> state of a session.
    `{u<NNN>}:rate:<class>:<address>`: STRING, in the partition of the address, expires 120 s after its last
        write. The address is one of IPv4, a network of IPv6 (its first address), or a /56 of IPv6.
        A state is the time in µs at which the limit will be unused again (see lua/parts/gcra.lua).
    """

    @staticmethod
    def take(address: str, kind: str, limit: int, cost: int = 1) -> Batch[Rate]:
        """Return the batch that takes a request from the limit of an address; of IPv6, of its /56 as well.

        kind: the class of the route. limit: requests a minute, at least 1; a /56 has SUBSCRIBER_SHARE times
        as many. cost: at least 1.
        """
        limits = (limit, SUBSCRIBER_SHARE * limit)
        sites = zip(sites_of(address), limits, strict=False)
        return Batch([_taking(site, kind, most, cost) for site, most in sites], tightest)

    @staticmethod
    def of_user(
        handle: str, session: bytes, kind: str, limit: int, cost: int = 1, *, done: bool = False
    ) -> Query[Rate]:
        """Return the query that only takes a request from the limits of a user and a session.

        session: the digest of its token; empty: of a signed identity. kind: the class of the request.
        limit: requests a minute of a session; 0: no limit. cost: at least 1. done: it has been done already,
        so that it is taken even where less is left: later ones wait the longer, two minutes at most.
        """
        args = (kind, session[:SESSION_BYTES], limit, cost, int(done))
        return Query(TAKE_USER_LIMIT, (keys.user_limits(handle),), args, lambda reply: rate_of(limit, reply))


def rate_of(limit: int, reply: list[Any]) -> Rate:
    """Return the rate in a script's reply."""
    _, left, busy, wait = reply
    return Rate(limit, left, busy, wait)


def _taking(site: str, kind: str, limit: int, cost: int) -> Query[Rate]:
    return Query(
        TAKE_ADDRESS_LIMIT,
        (keys.address_limit(kind, site),),
        (limit, cost),
        lambda reply: rate_of(limit, reply),
    )


def tightest(rates: Iterable[Rate]) -> Rate:
    """Return the rate that refused a request, or else the one that lets the fewest more pass."""
    return min(rates, key=lambda rate: (-rate.wait, rate.left))


def site_of(address: str) -> str:
    """Return what an address is limited by: itself, or of IPv6 its network of 64 bits."""
    return sites_of(address)[0]


def sites_of(address: str) -> list[str]:
    """Return all that an address is limited by: itself; of IPv6 its networks of 64 and of 56 bits."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ["unknown"]
    if parsed.version == 4:
        return [str(parsed)]
    if mapped := parsed.ipv4_mapped:
        return [str(mapped)]
    network = ipaddress.ip_network((parsed, IPV6_SITE_BITS), strict=False)
    return [str(network.network_address), str(network.supernet(new_prefix=IPV6_SUBSCRIBER_BITS))]
