"""The nodes of a cluster, and the slots that they own, as far as redis-py has learned them."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any, TypeVar

import redis
from redis.cluster import ClusterNode
from redis.exceptions import AskError, MovedError

from chalicelib.store.redis.nodes import ClusterNodes, Command, owner
from infra.local.pipeline import greenlets
from infra.local.pipeline.server import Server

T = TypeVar("T")


class Slots:
    """Finds the server that owns a slot.

    redis-py keeps the map of slots. It asks servers for a new one in a thread, once for all calls that need
    it at the same time. Each function is called in a call.

    blocking: Has redis-py's client. timeout: Seconds for a reply.
    """

    def __init__(self, blocking: ClusterNodes, timeout: float) -> None:
        self._blocking = blocking
        self._timeout = timeout
        self._servers: dict[str, Server] = {}
        self._asking: dict[Callable[..., Any], asyncio.Future[Any]] = {}

    def learn(self) -> redis.RedisCluster:
        """Return redis-py's client, which knows a map; raises RedisClusterException, redis.RedisError."""
        if self._blocking.is_connected:
            return self._blocking.client()
        return self._once(self._blocking.client)

    def owner(self, command: Command) -> ClusterNode:
        """Return the node that owns the first key of a command; raises SlotNotCoveredError."""
        found: ClusterNode = owner(self._blocking.client(), command)
        return found

    def server(self, node: ClusterNode) -> Server:
        """Return the server of a node."""
        server = self._servers.get(node.name)
        if server is None:
            pool = self._blocking.client().get_redis_connection(node).connection_pool
            connect = functools.partial(pool.connection_class, **pool.connection_kwargs)
            server = self._servers[node.name] = Server(connect, self._timeout)
        return server

    def learn_again(self) -> None:
        """Ask for a new map; raises RedisClusterException if no server answers."""
        self._once(self._initialize)

    def learn_without(self, node: ClusterNode) -> None:
        """Ask for a new map, other nodes first, since this one does not answer; see learn_again."""
        manager = self._blocking.client().nodes_manager
        manager.move_node_to_end_of_cached_nodes(node.name)
        self._once(self._initialize, last_failed_node_name=node.name)

    def note_move(self, error: MovedError) -> None:
        """Note that a slot has moved to another node; ask for a new map when many have."""
        client = self._blocking.client()
        client.reinitialize_counter += 1
        if client.reinitialize_counter % client.reinitialize_steps == 0:
            self._once(self._initialize, additional_startup_nodes_info=[(error.host, error.port)])
        else:
            client.nodes_manager.move_slot(error)

    def asked_node(self, error: AskError) -> ClusterNode:
        """Return the node that takes over a slot."""
        node = self._blocking.client().get_node(host=error.host, port=error.port)
        return node or ClusterNode(error.host, error.port)

    def primaries(self) -> list[ClusterNode]:
        """Return the nodes that own slots."""
        return list(self._blocking.client().get_primaries())

    def close(self) -> None:
        """Close every connection of the loop."""
        for server in self._servers.values():
            server.close()

    def _initialize(self, **options: Any) -> None:
        self._blocking.client().nodes_manager.initialize(**options)

    def _once(self, ask: Callable[..., T], **options: Any) -> T:
        """Call a function in a thread, unless another call does so already, and return its result."""
        asking = self._asking.get(ask)
        if asking is None:
            call = functools.partial(ask, **options)
            asking = asyncio.get_running_loop().run_in_executor(greenlets.threads(), call)
            self._asking[ask] = asking
            asking.add_done_callback(lambda _: self._asking.pop(ask))
        result: T = greenlets.result(asking)
        return result
