"""The connection to a Redis-compatible server or cluster, and what its failures mean."""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import redis
from redis.exceptions import ClusterCrossSlotError, NoScriptError, RedisClusterException

from chalicelib.config import Settings
from chalicelib.errors import StoreFull, StoreUnavailable
from chalicelib.logs import LOGGER
from chalicelib.store import keys, partitions
from chalicelib.store.partitions import Grouping
from chalicelib.store.redis.clocks import ScriptClock
from chalicelib.store.redis.connect import AccessRefused, refusal_of
from chalicelib.store.redis.failures import BREAKING, is_full, is_outage, refuses_writes
from chalicelib.store.redis.installed import node_of
from chalicelib.store.redis.nodes import Node
from chalicelib.store.redis.query import RAISE, Query, Runnable

T = TypeVar("T")
A = TypeVar("A")
B = TypeVar("B")

BREAK_SECONDS = 1.0
PIPELINE = 100
"""Maximum number of queries of a round trip, whose replies are all held in memory."""
FAILURES = (redis.RedisError, RedisClusterException)


class NotAsked(Exception):
    """The store was not asked, since it failed within the last BREAK_SECONDS; the text names that failure."""


class Store:
    """Runs queries on the store, and distinguishes failures of the store from defects.

    After a time-out, when no node of a cluster answers, or when the store refuses our login, calls are
    refused at once for a second: a worker that serves one request at a time would otherwise make each caller
    wait for those before it.

    grouping: Makes the groups of users whose keys one script may touch. A store that refuses keys of several
    slots gets groups by partition from then on: a cluster behind one address.
    """

    def __init__(
        self,
        node: Node,
        clock: Callable[[], float] = time.monotonic,
        script_clock: ScriptClock | None = None,
        grouping: Grouping = partitions.by_partition,
    ) -> None:
        self._node = node
        self._clock = clock
        self._script_clock = script_clock or ScriptClock()
        self._grouping = grouping
        self._broken_until = 0.0
        self._broken_by = ""

    @property
    def has_one_slot(self) -> bool:
        """Whether one script may touch the keys of any chats and users: the store is no cluster."""
        return self._grouping is not partitions.by_partition

    def run(self, query: Runnable[T]) -> T:
        """Run a query, or a batch, and return its result.

        Raises StoreUnavailable or StoreFull; after the first a query that is not repeatable may have run.
        """
        if not isinstance(query, Query):
            return self.run_all((query,))[0]  # type: ignore[no-any-return]
        self._choose_clock(query.keys[0])
        try:
            return query.read(self._guarded(lambda: self._reply(query), query.repeatable))
        except ClusterCrossSlotError as error:
            if query.if_refused is RAISE:
                raise
            self._ask_by_partition(error)
            return query.read(query.if_refused)

    def run_both(self, first: Runnable[A], second: Runnable[B]) -> tuple[A, B]:
        """Run two repeatable queries in one round trip; see run_all."""
        one, other = self.run_all((first, second))
        return one, other

    def run_all(self, queries: Iterable[Runnable[Any]]) -> list[Any]:
        """Run repeatable queries, PIPELINE of them in a round trip, and return their results in order.

        They may run in any order. Raises the error of the first failed query; the others of its round trip
        have run.
        """
        asked, grouping = list(queries), self._grouping
        try:
            return self._run_grouped(asked, grouping)
        except ClusterCrossSlotError as error:
            if grouping is partitions.by_partition:
                raise
            self._ask_by_partition(error)
            return self._run_grouped(asked, partitions.by_partition)

    def _ask_by_partition(self, error: ClusterCrossSlotError) -> None:
        if self.has_one_slot:  # no other call has found out meanwhile
            LOGGER.warning({"event": "store_has_slots", "problem": str(error)})
            self._grouping = partitions.by_partition

    def _run_grouped(self, queries: Sequence[Runnable[Any]], grouping: Grouping) -> list[Any]:
        asked = [query.grouped(grouping) for query in queries]
        parts = [part for one in asked for part in one.parts]
        if parts:
            self._choose_clock(parts[0].keys[0])
        results: list[Any] = []
        for start in range(0, len(parts), PIPELINE):
            together = parts[start : start + PIPELINE]
            replies = self._guarded(functools.partial(self._replies, together), repeatable=True)
            results += [query.read(reply) for query, reply in zip(together, replies, strict=True)]
        unread = iter(results)
        return [one.result(unread) for one in asked]

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
            self._choose_clock(keys.jobs())
        finally:
            self._broken_until = 0.0

    def _choose_clock(self, key: str) -> None:
        if not self._script_clock.chosen:
            self._guarded(lambda: self._script_clock.choose(self._node, key), repeatable=True)

    def _guarded(self, call: Callable[[], T], repeatable: bool) -> T:
        """Make a call, unless the store has just failed; once more if a newer login may help."""
        if self._clock() < self._broken_until:
            raise StoreUnavailable from NotAsked(self._broken_by)
        login = self._node.login
        try:
            try:
                return call()
            except FAILURES as error:
                refusal = refusal_of(error, login)
                again = refusal and refusal.login_refused and (repeatable or not refusal.may_have_run)
                if not (again and login and login.renew()):
                    raise
            return call()
        except FAILURES as error:
            self._raise_outage(error, refusal_of(error, login))
            raise

    def _raise_outage(self, error: Exception, refusal: AccessRefused | None) -> None:
        """Raise StoreFull or StoreUnavailable for an error that is one; return for a defect."""
        if isinstance(error, BREAKING) or (refusal and not refusal.passing):
            self._break(refusal or error)
        if is_full(error):
            raise StoreFull from error
        if refusal or is_outage(error):
            raise StoreUnavailable from refusal or error

    def _break(self, cause: Exception) -> None:
        """Ask the store nothing for a while. The cause is kept as text: its traceback would hold frames."""
        self._broken_by = (
            f"no call was made, because one failed a moment ago: {type(cause).__name__}: {cause}"
        )
        self._broken_until = self._clock() + BREAK_SECONDS

    def _reply(self, query: Query[Any]) -> Any:
        try:
            return self._node.execute(self._script_clock.timed(query).by_name, repeatable=query.repeatable)
        except redis.ResponseError as error:
            return self._settled((query,), [error])[0]

    def _replies(self, queries: Sequence[Query[Any]]) -> list[Any]:
        return self._settled(queries, self._sent(queries))

    def _settled(self, queries: Sequence[Query[Any]], replies: list[Any]) -> list[Any]:
        """Ask again where scripts are forgotten or writes refused, and raise the first error that is left."""
        if not any(isinstance(reply, Exception) for reply in replies):
            return replies
        self._ask_in_full(queries, replies)
        refused = [place for place, reply in enumerate(replies) if refuses_writes(reply)]
        if refused:
            self._read_only(queries, replies, refused)
        for reply in replies:
            if isinstance(reply, Exception):
                raise reply
        return replies

    def _read_only(self, queries: Sequence[Query[Any]], replies: list[Any], refused: Sequence[int]) -> None:
        """Put into refused replies what their queries reply where nothing is written, if they can."""
        reading: dict[int, Query[Any]] = {}
        for place in refused:
            query = queries[place]
            if query.if_refused is not RAISE:
                replies[place] = query.if_refused
            elif query.without_writes:
                reading[place] = query.without_writes
        if reading:
            queries = list(reading.values())
            again = self._sent(queries)
            self._ask_in_full(queries, again)
            for place, reply in zip(reading, again, strict=True):
                replies[place] = reply

    def _ask_in_full(self, queries: Sequence[Query[Any]], replies: list[Any]) -> None:
        """Replace the replies of scripts that the store has forgotten: give it the scripts."""
        forgotten = [place for place, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if forgotten:
            again = self._sent([queries[place] for place in forgotten], in_full=True)
            for place, reply in zip(forgotten, again, strict=True):
                replies[place] = reply

    def _sent(self, queries: Sequence[Query[Any]], *, in_full: bool = False) -> list[Any]:
        timed = [self._script_clock.timed(query) for query in queries]
        commands = [query.in_full if in_full else query.by_name for query in timed]
        if len(queries) > 1:
            return self._node.execute_all(commands)
        try:
            return [self._node.execute(commands[0], repeatable=queries[0].repeatable)]
        except redis.ResponseError as error:
            return [error]


def connect(settings: Settings) -> Store:
    """Return the store that the settings name, without opening a connection yet."""
    if settings.redis_cluster:
        return Store(node_of(settings), script_clock=ScriptClock(asks=True))
    return Store(node_of(settings), grouping=partitions.all_together)
