"""The node that a process uses: a blocking one, or one that was installed for its event loop."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.config import Settings
from chalicelib.store.redis.nodes import BlockingNode, ClusterNodes, Node, SingleNode

MakeNode = Callable[[Settings, BlockingNode], Node]
"""Makes the node of a process, given a blocking one for code outside its event loop."""

_makers: list[MakeNode] = []


def install(make: MakeNode | None) -> None:
    """Use another node in every Store that is connected from now on; None: the blocking ones again."""
    _makers[:] = [] if make is None else [make]


def node_of(settings: Settings) -> Node:
    """Return a node for the store that the settings name, without opening a connection yet."""
    node: BlockingNode = ClusterNodes(settings) if settings.redis_cluster else SingleNode(settings)
    return _makers[0](settings, node) if _makers else node
