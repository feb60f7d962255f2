"""The connection to a Redis-compatible server or cluster, and what its failures mean."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import redis
from redis.connection import ConnectionInterface
from redis.exceptions import RedisClusterException

from chalicelib.config import Settings
from chalicelib.errors import StoreFull, StoreUnavailable
from chalicelib.store.connections import Pool, drop_if_closed, options_of, refusal_of
from chalicelib.store.credentials import StoreLogin, login_of
from chalicelib.store.scripts import Script

Command = tuple[bytes | str | int, ...]

IDLE_SECONDS = 10
"""A connection unused for longer may be dead without a sign: a frozen Lambda wakes up with such ones."""
BREAK_SECONDS = 1.0

BREAKING = (redis.TimeoutError, RedisClusterException)
# What a server answers that is there but cannot serve; after any of it nothing was written. redis-py has
# classes for some of these answers, and cuts the code off their text.
REFUSALS = (redis.exceptions.ClusterError, redis.exceptions.ReadOnlyError, redis.exceptions.TryAgainError)
REFUSAL_CODES = ("BUSY", "MISCONF", "NOREPLICAS")


class Node(Protocol):
    """Something that carries a command to the server that owns its keys.

    login: how it logs in to the servers; None: it does not, or as REDIS_URL says.
    """

    login: StoreLogin | None

    def execute(self, command: Command, *, repeatable: bool) -> Any:
        """Run a command; repeatable: running it twice does no harm."""

    def ping(self) -> None:
        """Ask every server that holds keys whether it is there."""


class SingleNode:
    """One server over one connection a thread.

    The connection is redis-py's own, used without its client: its `execute_command` adds to the CPU of a
    plain socket almost twice what this does (`python -m bench cpu`).
    """

    def __init__(self, settings: Settings) -> None:
        self.login = login_of(settings)
        pool = Pool.from_url(settings.redis_url, **options_of(settings, self.login, settings.redis_timeout))
        # The pool's own make_connection refuses after the hundredth, threads that have ended included.
        self._new_connection: Callable[[], ConnectionInterface] = functools.partial(
            pool.connection_class, **pool.connection_kwargs
        )
        self._local = threading.local()

    def execute(self, command: Command, *, repeatable: bool) -> Any:
        """Run a command; one that cannot have run, or may run twice, is tried again on a new connection."""
        connection = self._connection()
        packed = connection.pack_command(*command)
        if not repeatable:
            drop_if_closed(connection)
        try:
            connection.send_packed_command(packed)
        except redis.AuthenticationError:
            raise
        except redis.ConnectionError:
            connection.send_packed_command(packed)
        try:
            return connection.read_response()
        except redis.ConnectionError as error:
            if not repeatable or isinstance(error, redis.AuthenticationError):
                raise
            connection.send_packed_command(packed)
            return connection.read_response()

    def ping(self) -> None:
        """Ask the server whether it is there."""
        self.execute(("PING",), repeatable=True)

    def _connection(self) -> ConnectionInterface:
        connection: ConnectionInterface | None = getattr(self._local, "connection", None)
        now = time.monotonic()
        if connection is None:
            connection = self._local.connection = self._new_connection()
        elif now - self._local.used > IDLE_SECONDS:
            connection.disconnect()
        self._local.used = now
        return connection


class ClusterNodes:
    """A cluster; redis-py finds the node and follows MOVED and ASK, and repeats nothing else.

    When a node does not answer, redis-py asks the others who owns its slots before it gives up, so each may
    take half the time that the settings give the store.
    """

    def __init__(self, settings: Settings) -> None:
        self.login = login_of(settings)
        options = options_of(settings, self.login, settings.redis_timeout / 2)
        options |= {"health_check_interval": IDLE_SECONDS, "connection_pool_class": Pool}
        self._connect: Callable[[], redis.RedisCluster] = functools.partial(
            redis.RedisCluster.from_url, settings.redis_url, **options
        )
        self._cluster: redis.RedisCluster | None = None

    def execute(self, command: Command, *, repeatable: bool) -> Any:
        """Run a command on the node that owns its keys."""
        return self._nodes().execute_command(*command)

    def ping(self) -> None:
        """Ask every primary whether it is there."""
        self._nodes().ping(target_nodes=redis.RedisCluster.PRIMARIES)

    def _nodes(self) -> redis.RedisCluster:
        if self._cluster is None:
            self._cluster = self._connect()
        return self._cluster


class Store:
    """Runs scripts on the store, and tells failures of the store from defects.

    After a time-out, when no node of a cluster answers, or when the store lets us in no more, it is taken for
    gone for a second, and calls are refused at once: a worker that serves one request at a time would
    otherwise make each caller wait for those before it.
    """

    def __init__(self, node: Node, clock: Callable[[], float] = time.monotonic) -> None:
        self._node = node
        self._clock = clock
        self._broken_until = 0.0

    def run(
        self, script: Script, keys: Sequence[str], args: Sequence[bytes | str | int], *, repeatable: bool
    ) -> Any:
        """Run a script and return its reply.

        keys: every key the script touches, all of one slot.
        repeatable: whether running it twice does no more than running it once.
        Raises StoreUnavailable or StoreFull; after the first a script that is not repeatable may have run.
        """
        rest: Command = (len(keys), *keys, *args)
        return self._guarded(lambda: self._evaluate(script, rest, repeatable), repeatable)

    def ping(self) -> None:
        """Return if the store answers; raises StoreUnavailable if not."""
        self._guarded(self._node.ping, repeatable=True)

    def _evaluate(self, script: Script, rest: Command, repeatable: bool) -> Any:
        try:
            return self._node.execute(("EVALSHA", script.sha, *rest), repeatable=repeatable)
        except redis.exceptions.NoScriptError:
            return self._node.execute(("EVAL", script.source, *rest), repeatable=repeatable)

    def _guarded(self, call: Callable[[], Any], repeatable: bool) -> Any:
        if self._clock() < self._broken_until:
            raise StoreUnavailable
        try:
            return self._logged_in(call, repeatable)
        except (redis.RedisError, RedisClusterException) as error:
            refusal = refusal_of(error, self._node.login)
            if isinstance(error, BREAKING) or (refusal and not refusal.passing):
                self._broken_until = self._clock() + BREAK_SECONDS
            if isinstance(error, redis.exceptions.OutOfMemoryError):
                raise StoreFull from error
            if refusal or _is_outage(error):
                raise StoreUnavailable from refusal or error
            raise

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


def _is_outage(error: Exception) -> bool:
    kinds = (*BREAKING, redis.ConnectionError, *REFUSALS)
    return isinstance(error, kinds) or str(error).startswith(REFUSAL_CODES)


def connect(settings: Settings) -> Store:
    """Return the store that the settings name, without opening a connection yet."""
    return Store(ClusterNodes(settings) if settings.redis_cluster else SingleNode(settings))
