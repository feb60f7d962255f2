"""The caller of a request or frame: authenticated before a write, or in the round trip of a read."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

from chalicelib.errors import BEARER, NotAuthenticated, TooManyRequests
from chalicelib.store.accounts.rate_limits import Rate
from chalicelib.store.realtime.user_connections import NAMED
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query, Runnable

T = TypeVar("T")

INVALID_TOKEN = f'{BEARER}, error="invalid_token"'

Authentication = Callable[[int], Query[Rate | None]]
"""Returns the query that authenticates a caller and takes the cost of a request from their limits."""
Charging = Callable[[int], Query[Rate]]
"""Returns the query that takes an extra cost from a caller's limits."""


class Caller:
    """A caller by their case-folded `handle`.

    session: Id of the session; empty for a signed identity, None for a trusted name.
    digest: Digest of the session's token, or empty.
    signed: Mark of a signed identity (see store/accounts/signed_identity.py), or empty.
    authentication: Authenticates the caller; None: nothing to check. charging: None: there are no limits.
    """

    def __init__(
        self,
        store: Store,
        handle: str,
        session: str | None = None,
        authentication: Authentication | None = None,
        charging: Charging | None = None,
    ) -> None:
        self.handle = handle
        self.session = session
        self.digest = b""
        self.signed = b""
        self.rate: Rate | None = None
        self._store = store
        self._authentication = authentication
        self._charging = charging

    @property
    def proof(self) -> bytes:
        """The proof that a connection stores of its user's authentication: `digest`, `signed` or NAMED."""
        return NAMED if self.session is None else self.digest or self.signed

    @property
    def authenticated(self) -> bool:
        """Whether the caller is authenticated; a trusted name always is."""
        return self._authentication is None

    def authenticate(self, cost: int = 1) -> None:
        """Authenticate the caller, unless that was done; raises NotAuthenticated or TooManyRequests.

        cost: Number of requests that the call counts as, at least 1: 10 for a write that touches 10 members.
        A cost above the whole limit passes if nothing of the limit is in use.
        """
        if self._authentication is not None:
            self.accept(self._store.run(self._authentication(cost)))

    def authenticating(self, cost: int = 1) -> Query[Rate | None] | None:
        """Return the query that authenticates the caller, whose result `accept` takes; None: that was done.

        cost: See authenticate.
        """
        return None if self._authentication is None else self._authentication(cost)

    def charge(self, cost: int) -> None:
        """Take an extra cost from the caller's limit, in one round trip.

        cost: Number of requests beside those that `authenticate` or `read` took; 0: no round trip. This call
        is not refused, but the caller's next calls may be.
        """
        if cost > 0 and self._charging is not None:
            self.rate = self._store.run(self._charging(cost))

    def read(self, query: Runnable[T]) -> T:
        """Read from the store in the round trip that authenticates the caller; raises as authenticate."""
        return self.read_all(query)[0]  # type: ignore[no-any-return]

    def read_all(self, *queries: Runnable[Any], cost: int = 1) -> list[Any]:
        """Run several reads in one round trip; see read. cost: see authenticate."""
        if self._authentication is None:
            return [self._store.run(queries[0])] if len(queries) == 1 else self._store.run_all(queries)
        deferred = [query.deferred() for query in queries]
        rate, *reads = self._store.run_all([self._authentication(cost), *deferred])
        self.accept(rate)
        return [read() for read in reads]

    def accept(self, rate: Rate | None) -> None:
        """Take the reply of the authentication query; None: refused. Raises as authenticate."""
        if rate is None:
            raise NotAuthenticated(
                "The token is unknown, expired or revoked. Log in again.", challenge=INVALID_TOKEN
            )
        self._authentication, self.rate = None, rate
        check_rate(rate)


def check_rate(rate: Rate) -> None:
    """Raise TooManyRequests if the request was over its limit."""
    if rate.wait:
        seconds = _seconds(rate.wait)
        headers = {**rate_headers(rate), "Retry-After": str(seconds)}
        raise TooManyRequests(
            f"You may send {rate.limit} requests of this kind a minute. Try again in {seconds} s.",
            headers=headers,
        )


def rate_headers(rate: Rate) -> dict[str, str]:
    """Return the headers with the rest of a limit (draft-ietf-httpapi-ratelimit-headers-07)."""
    return {
        "RateLimit-Limit": str(rate.limit),
        "RateLimit-Remaining": str(rate.left),
        "RateLimit-Reset": str(_seconds(rate.busy)),
    }


def _seconds(microseconds: int) -> int:
    return math.ceil(microseconds / 1_000_000)
