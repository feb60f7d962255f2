"""Where commands go: to one server, or to the node of a cluster that owns their keys."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import redis
from hiredis import pack_command
from redis.connection import ConnectionInterface

from chalicelib.config import Settings
from chalicelib.idle import LastUse
from chalicelib.store.redis.connect import Pool, drop_if_closed, options_of
from chalicelib.store.redis.credentials import StoreLogin, login_of

Command = tuple[bytes | str | int, ...]
NewConnection = Callable[[], ConnectionInterface]
FIRST_KEY = 3
"""Index of the first key in a command that runs a script: EVALSHA, script, number of keys, first key."""


class Node(Protocol):
    """Sends a command to the server that owns its keys.

    login: For the servers; None: there is none, or REDIS_URL has it.
    """

    login: StoreLogin | None

    def execute(self, command: Command, *, repeatable: bool) -> Any:
        """Run a command; repeatable: running it twice does no harm."""

    def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """Run repeatable commands in one round trip, and return their replies, errors among them."""

    def ping(self) -> None:
        """Ask every server that holds keys whether it is there."""


class SingleNode:
    """One server over one connection a thread.

    new_connection: Returns a connection that is not open yet.

    The connection is redis-py's own, used without its client: its `execute_command` adds to the CPU of a
    plain socket almost twice what this does (`python -m bench client`).
    """

    def __init__(self, settings: Settings) -> None:
        self.login = login_of(settings)
        pool = Pool.from_url(settings.redis_url, **options_of(settings, self.login, settings.redis_timeout))
        # The pool's own make_connection refuses after the hundredth, threads that have ended included.
        self.new_connection: NewConnection = functools.partial(
            pool.connection_class, **pool.connection_kwargs
        )
        self._local = threading.local()

    def execute(self, command: Command, *, repeatable: bool) -> Any:
        """Run a command; one that cannot have run, or may run twice, is tried again on a new connection."""
        connection = self._connection()
        sent = [packed(command)]
        if not repeatable:
            drop_if_closed(connection)
        try:
            connection.send_packed_command(sent)
        except redis.AuthenticationError:
            raise
        except redis.ConnectionError:
            connection.send_packed_command(sent)
        try:
            return connection.read_response()
        except redis.ConnectionError as error:
            if not repeatable or isinstance(error, redis.AuthenticationError):
                raise
            connection.send_packed_command(sent)
            return connection.read_response()

    def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """Send all commands, then read all replies; again on a new connection when this one breaks."""
        connection = self._connection()
        sent = [b"".join(map(packed, commands))]
        try:
            return _replies(connection, sent, len(commands))
        except redis.AuthenticationError:
            raise
        except redis.ConnectionError:
            return _replies(connection, sent, len(commands))

    def ping(self) -> None:
        """Ask the server whether it is there."""
        self.execute(("PING",), repeatable=True)

    def _connection(self) -> ConnectionInterface:
        connection: ConnectionInterface | None = getattr(self._local, "connection", None)
        if connection is None:
            self._local.used = LastUse()
            connection = self._local.connection = self.new_connection()
            return connection
        if self._local.used.renew():
            connection.disconnect()
        return connection


def packed(command: Command) -> bytes:
    """Return a command as it is sent; redis-py's own function for it takes three times as long."""
    try:
        return pack_command(command)  # type: ignore[no-any-return,arg-type]
    except TypeError as error:
        raise redis.DataError(str(error)) from None


def _replies(connection: ConnectionInterface, sent: list[bytes], count: int) -> list[Any]:
    connection.send_packed_command(sent)
    replies: list[Any] = []
    try:
        while len(replies) < count:
            try:
                replies.append(connection.read_response())
            except redis.ResponseError as error:
                replies.append(error)
    except BaseException:
        connection.disconnect()  # what it would answer next belongs to this call
        raise
    return replies


class ClusterNodes:
    """A cluster; redis-py finds the node and follows MOVED and ASK, and repeats nothing else.

    When a node does not answer, redis-py asks the others who owns its slots before it gives up, so each may
    take half the time that the settings give the store.
    """

    def __init__(self, settings: Settings) -> None:
        self.login = login_of(settings)
        options = options_of(settings, self.login, settings.redis_timeout / 2)
        self._connect: Callable[[], redis.RedisCluster] = functools.partial(
            redis.RedisCluster.from_url, settings.redis_url, connection_pool_class=Pool, **options
        )
        self._cluster: redis.RedisCluster | None = None

    def execute(self, command: Command, *, repeatable: bool) -> Any:
        """Run a command on the node that owns its keys."""
        cluster = self.client()
        return cluster.execute_command(*command, target_nodes=owner(cluster, command))

    def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """Send each node its commands, then read all replies."""
        cluster = self.client()
        pipeline = cluster.pipeline()
        for command in commands:
            pipeline.execute_command(*command, target_nodes=owner(cluster, command))
        replies: list[Any] = pipeline.execute(raise_on_error=False)
        return replies

    def ping(self) -> None:
        """Ask every primary whether it is there."""
        self.client().ping(target_nodes=redis.RedisCluster.PRIMARIES)

    @property
    def is_connected(self) -> bool:
        """Whether `client` returns without asking the cluster."""
        return self._cluster is not None

    def client(self) -> redis.RedisCluster:
        """Return the client of the cluster, which it asks for its nodes at the first call."""
        if self._cluster is None:
            self._cluster = self._connect()
        return self._cluster


def owner(cluster: redis.RedisCluster, command: Command) -> Any:
    """Return the node that owns the first key of a command that runs a script."""
    # Without it redis-py looks for a command's keys: in a pipeline it asks a server, else it hashes them all.
    return cluster.get_node_from_key(command[FIRST_KEY])


BlockingNode = SingleNode | ClusterNodes
