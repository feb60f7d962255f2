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
"""Leading bytes of a token's digest, which identify its session."""

IPV6_SITE_BITS = 64
"""A network of 2^64 addresses of IPv6 counts as one address."""
IPV6_SUBSCRIBER_BITS = 56
"""One subscriber may have 256 of those networks (RFC 6177)."""
SUBSCRIBER_SHARE = 2
"""Factor of a subscriber's limit over that of a network."""


class Rate(NamedTuple):
    """A limit after a request.

    limit: Requests a minute. left: Requests that may pass now. busy: µs until the limit is unused. wait: µs
    until a request may pass; 0: this one passed.
    """

    limit: int
    left: int
    busy: int
    wait: int = 0


class RateLimits:
    """The rate limits of callers.

    A request counts as one or more. One that costs more than the whole limit passes if the limit is unused,
    and uses all of it. Its keys:

    `{u<NNN>}:rates:<handle>`: HASH, expires 60 to 120 s after its last write: class of routes -> state of the
        user, and `<class>:<8 bytes of the token's digest>` -> state of a session.
    `{u<NNN>}:rate:<class>:<address>`: STRING, in the partition of the address, expires 120 s after its last
        write. The address is one of IPv4, a network of IPv6 (its first address), or a /56 of IPv6.
        A state is the time in µs at which the limit will be unused again (see lua/parts/gcra.lua).
    """

    @staticmethod
    def take(address: str, kind: str, limit: int, cost: int = 1) -> Batch[Rate]:
        """Return the batch that counts a request of an address, for IPv6 also of its /56.

        kind: Class of the route. limit: Requests a minute, at least 1; a /56 has SUBSCRIBER_SHARE times as
        many. cost: Number of requests that it counts as, at least 1.
        """
        limits = (limit, SUBSCRIBER_SHARE * limit)
        sites = zip(sites_of(address), limits, strict=False)
        return Batch([_taking(site, kind, most, cost) for site, most in sites], tightest)

    @staticmethod
    def of_user(
        handle: str, session: bytes, kind: str, limit: int, cost: int = 1, *, done: bool = False
    ) -> Query[Rate]:
        """Return the query that counts a request of a user and a session.

        session: Digest of its token; empty: a signed identity. kind: Class of the request. limit: Requests a
        minute of a session; 0: no limit. cost: Number of requests that it counts as, at least 1. done:
        Whether the request is already done: it counts even beyond the limit, and later ones wait longer, at
        most two minutes.
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
    """Return the rate that refused a request, or else the rate with the fewest requests left."""
    return min(rates, key=lambda rate: (-rate.wait, rate.left))


def site_of(address: str) -> str:
    """Return the unit that limits an address: itself, or for IPv6 its network of 64 bits."""
    return sites_of(address)[0]


def sites_of(address: str) -> list[str]:
    """Return all units that limit an address: itself, or for IPv6 its networks of 64 and of 56 bits."""
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
