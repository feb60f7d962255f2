"""Who calls: judged before anything is written, and while something is read."""

from __future__ import annotations

import math
from typing import Any, TypeVar

from chalicelib.errors import BEARER, NotAuthenticated, TooManyRequests
from chalicelib.store.client import Query, Store
from chalicelib.store.rates import Rate

T = TypeVar("T")

INVALID_TOKEN = f'{BEARER}, error="invalid_token"'


class Caller:
    """Who calls: `handle`, case-folded.

    session: the id of their session, empty for a signed identity; None for a name that is trusted.
    judging: the query that judges them; None: there is nothing to judge.
    """

    def __init__(
        self, store: Store, handle: str, session: str | None = None, judging: Query[Rate | None] | None = None
    ) -> None:
        self.handle = handle
        self.session = session
        self.rate: Rate | None = None
        self._store = store
        self._judging = judging

    @property
    def judged(self) -> bool:
        """Whether they have been let in, or need not be."""
        return self._judging is None

    def admit(self) -> None:
        """Judge the caller, once; raises NotAuthenticated or TooManyRequests."""
        if self._judging is not None:
            self._judge(self._store.fetch(self._judging))

    def read(self, query: Query[T]) -> T:
        """Read from the store and judge the caller in the same trip; what a refused one read is dropped."""
        return self.read_all(query)[0]  # type: ignore[no-any-return]

    def read_all(self, *queries: Query[Any]) -> list[Any]:
        """Read several at once; see read."""
        if self._judging is None:
            return [self._store.fetch(queries[0])] if len(queries) == 1 else self._store.fetch_all(queries)
        held: list[Any] = []
        deferred = [query._replace(read=_same) for query in queries]
        rate, *held = self._store.fetch_all([self._judging, *deferred])
        self._judge(rate)
        return [query.read(reply) for query, reply in zip(queries, held, strict=True)]

    def _judge(self, rate: Rate | None) -> None:
        if rate is None:
            raise NotAuthenticated(
                "The token is not valid, or not any more. Log in again.", challenge=INVALID_TOKEN
            )
        self._judging, self.rate = None, rate
        check_rate(rate)


def check_rate(rate: Rate) -> None:
    """Raise TooManyRequests if a request was over its limit."""
    if rate.wait:
        headers = {**rate_headers(rate), "Retry-After": str(_seconds(rate.wait))}
        raise TooManyRequests(f"{rate.limit} such requests a minute are allowed.", headers=headers)


def rate_headers(rate: Rate) -> dict[str, str]:
    """Return the headers that say how much may still be done (draft-ietf-httpapi-ratelimit-headers-07)."""
    return {
        "RateLimit-Limit": str(rate.limit),
        "RateLimit-Remaining": str(rate.left),
        "RateLimit-Reset": str(_seconds(rate.busy)),
    }


def _seconds(microseconds: int) -> int:
    return math.ceil(microseconds / 1_000_000)


def _same(reply: Any) -> Any:
    return reply
