"""The connection to a Redis-compatible server or cluster, and what its failures mean."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import redis
from redis.exceptions import RedisClusterException

from chalicelib.config import Settings
from chalicelib.errors import StoreFull, StoreUnavailable
from chalicelib.store import keys
from chalicelib.store.redis.clocks import ScriptClock
from chalicelib.store.redis.connect import refusal_of
from chalicelib.store.redis.failures import BREAKING, is_full, is_outage, refuses_writes
from chalicelib.store.redis.nodes import ClusterNodes, Node, SingleNode
from chalicelib.store.redis.query import RAISE, Query

__all__ = ["Query", "Store", "connect"]

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")

BREAK_SECONDS = 1.0
PIPELINE = 100
"""Queries that go out together at the most; the replies of one trip are all held in memory."""


class NotAsked(Exception):
    """The store was not asked, since it failed within the last BREAK_SECONDS; the text names that failure."""


class Store:
    """Runs scripts on the store, and tells failures of the store from defects.

    After a time-out, when no node of a cluster answers, or when the store lets us in no more, it is taken for
    gone for a second, and calls are refused at once: a worker that serves one request at a time would
    otherwise make each caller wait for those before it.
    """

    def __init__(
        self,
        node: Node,
        clock: Callable[[], float] = time.monotonic,
        script_clock: ScriptClock | None = None,
    ) -> None:
        self._node = node
        self._clock = clock
        self._script_clock = script_clock or ScriptClock()
        self._broken_until = 0.0
        self._broken_by = ""

    def fetch(self, query: Query[T]) -> T:
        """Run a query and return its result.

        Raises StoreUnavailable or StoreFull; after the first a query that is not repeatable may have run.
        """
        self._choose_clock(query.keys[0])
        return query.read(self._guarded(lambda: self._evaluate(query), query.repeatable))

    def fetch_both(self, first: Query[A], second: Query[B]) -> tuple[A, B]:
        """Run two repeatable queries in one trip; see fetch_all."""
        one, other = self.fetch_all((first, second))
        return one, other

    def fetch_all(self, queries: Iterable[Query[Any]]) -> list[Any]:
        """Run repeatable queries, PIPELINE of them in a trip, and return their results in order.

        They may run in any order. Raises what the first that failed raised; the others of its trip have run.
        """
        waiting, results = list(queries), []
        if waiting:
            self._choose_clock(waiting[0].keys[0])
        for start in range(0, len(waiting), PIPELINE):
            part = waiting[start : start + PIPELINE]
            replies = self._guarded(functools.partial(self._evaluate_all, part), repeatable=True)
            results += [query.read(reply) for query, reply in zip(part, replies, strict=True)]
        return results

    def ping(self) -> None:
        """Return if the store answers, also if it takes no writes; raises StoreUnavailable if not."""
        with contextlib.suppress(StoreFull):
            self._guarded(self._node.ping, repeatable=True)

    def prepare(self) -> None:
        """Open connections to every server, and learn whose clock scripts go by.

        Raises StoreUnavailable, after which the next call tries again.
        """
        try:
            self.ping()
            self._choose_clock(keys.work())
        finally:
            self._broken_until = 0.0

    def _choose_clock(self, key: str) -> None:
        if not self._script_clock.chosen:
            self._guarded(lambda: self._script_clock.choose(self._node, key), repeatable=True)

    def _evaluate(self, query: Query[Any]) -> Any:
        try:
            return self._run(query)
        except redis.ResponseError as error:
            if not refuses_writes(error):
                raise
            if query.if_refused is not RAISE:
                return query.if_refused
            reading = query.without_writes
            if reading is None:
                raise
        return self._run(reading)

    def _run(self, query: Query[Any]) -> Any:
        timed = self._script_clock.timed(query)
        try:
            return self._node.execute(timed.by_name, repeatable=query.repeatable)
        except redis.exceptions.NoScriptError:
            return self._node.execute(timed.in_full, repeatable=query.repeatable)

    def _evaluate_all(self, queries: Sequence[Query[Any]]) -> list[Any]:
        replies = self._run_all(queries)
        refused = [place for place, reply in enumerate(replies) if refuses_writes(reply)]
        if refused:
            again = self._without_writes([queries[place] for place in refused], [replies[n] for n in refused])
            for place, reply in zip(refused, again, strict=True):
                replies[place] = reply
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return replies

    def _without_writes(self, queries: Sequence[Query[Any]], refusals: Sequence[Any]) -> list[Any]:
        """Return what refused queries reply where nothing is written; the refusal of one that must write."""
        reading = [query.without_writes if query.if_refused is RAISE else None for query in queries]
        replies = iter(self._run_all([query for query in reading if query]))
        return [
            next(replies) if one else refusal if query.if_refused is RAISE else query.if_refused
            for one, query, refusal in zip(reading, queries, refusals, strict=True)
        ]

    def _run_all(self, queries: Sequence[Query[Any]]) -> list[Any]:
        if not queries:
            return []
        timed = [self._script_clock.timed(query) for query in queries]
        replies = self._node.execute_all([query.by_name for query in timed])
        forgotten = [
            place for place, reply in enumerate(replies) if isinstance(reply, redis.exceptions.NoScriptError)
        ]
        if forgotten:
            again = self._node.execute_all([timed[place].in_full for place in forgotten])
            for place, reply in zip(forgotten, again, strict=True):
                replies[place] = reply
        return replies

    def _guarded(self, call: Callable[[], Any], repeatable: bool) -> Any:
        if self._clock() < self._broken_until:
            raise StoreUnavailable from NotAsked(self._broken_by)
        try:
            return self._logged_in(call, repeatable)
        except (redis.RedisError, RedisClusterException) as error:
            refusal = refusal_of(error, self._node.login)
            if isinstance(error, BREAKING) or (refusal and not refusal.passing):
                self._break(refusal or error)
            if is_full(error):
                raise StoreFull from error
            if refusal or is_outage(error):
                raise StoreUnavailable from refusal or error
            raise

    def _break(self, cause: Exception) -> None:
        """Ask the store nothing for a while. The cause is kept as text: its traceback would hold frames."""
        self._broken_by = f"not asked, as a call failed just before: {type(cause).__name__}: {cause}"
        self._broken_until = self._clock() + BREAK_SECONDS

    def _logged_in(self, call: Callable[[], Any], repeatable: bool) -> Any:
        """Make a call, and again when the login is refused, so nothing was done, and there is a newer one."""
        login = self._node.login
        try:
            return call()
        except (redis.RedisError, RedisClusterException) as error:
            refusal = refusal_of(error, login)
            again = refusal and refusal.login_refused and (repeatable or not refusal.may_have_run)
            if not (again and login and login.renew()):
                raise
        return call()


def connect(settings: Settings) -> Store:
    """Return the store that the settings name, without opening a connection yet."""
    if settings.redis_cluster:
        return Store(ClusterNodes(settings), script_clock=ScriptClock(asks=True))
    return Store(SingleNode(settings))
