"""The choice of the node for calls on the loop."""

from __future__ import annotations

from chalicelib.config import Settings
from chalicelib.store.redis.nodes import BlockingNode, SingleNode
from infra.local.pipeline.cluster import LoopCluster
from infra.local.pipeline.node import LoopNode


def node_on_loop(settings: Settings, blocking: BlockingNode) -> LoopNode | LoopCluster:
    """Return the node of a process with a loop; see installed.MakeNode."""
    kind = LoopNode if isinstance(blocking, SingleNode) else LoopCluster
    return kind(settings, blocking)  # type: ignore[arg-type]
