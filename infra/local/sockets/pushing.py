"""How handlers on this machine push: to their own worker's connections at once, to others' over its link."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence

import msgspec

from chalicelib.push_gateway.pusher import CloseReason, Outcome, OutgoingFrame
from infra.local.sockets.edge import Edge
from infra.local.sockets.links import Links, Sent
from infra.local.sockets.orders import Kind, Order
from infra.local.sockets.shared import Meeting, worker_of

INLINE = 10_000


class LocalPusher:
    """A Pusher without a wire and a signature.

    edge: the sockets of this process; None: it has none, as the process of the queues. Made in the thread of
    the edge's loop; pushes come from any.
    """

    inline = INLINE

    def __init__(self, meeting: Meeting, edge: Edge | None = None) -> None:
        self._links = Links(meeting)
        self._edge = edge
        self._own = edge.worker if edge else None
        self._most_bytes = meeting.settings.limits.message_bytes
        self._thread = threading.get_ident()

    def push(self, frames: Sequence[OutgoingFrame]) -> Outcome:
        """Push frames.

        Another worker is handed its frames and not waited for; what it finds gone it drops itself.
        """
        outcome = Outcome([], [])
        others: dict[str, list[Order]] = {}
        for frame in frames:
            if len(frame.data) > self._most_bytes:
                outcome.failed.extend(frame.connections)
                continue
            for worker, connections in _by_worker(frame.connections).items():
                if worker == self._own:
                    outcome.gone.extend(self._push_here(connections, frame))
                else:
                    others.setdefault(worker, []).append(
                        Order(Kind.PUSH, connections, frame.data, frame.droppable)
                    )
        for worker, orders in others.items():
            self._hand_over(worker, orders, outcome)
        return outcome

    def close(self, connections: Sequence[str], ending: CloseReason) -> None:
        """Close connections, as far as they are there."""
        packed = msgspec.msgpack.encode(ending)
        for worker, ids in _by_worker(connections).items():
            if worker == self._own and self._edge is not None:
                self._run_here(self._edge.close, ids, ending)
            else:
                self._links.send(worker, [Order(Kind.CLOSE, ids, packed)])

    def end(self) -> None:
        """Give up the links to other workers."""
        self._links.close()

    def _push_here(self, connections: list[str], frame: OutgoingFrame) -> list[str]:
        if self._edge is None:
            return connections
        deliver = functools.partial(self._edge.deliver, droppable=frame.droppable)
        if threading.get_ident() == self._thread:
            return deliver(connections, frame.data)
        here = self._edge.connections
        gone = [one for one in connections if one not in here]
        self._run_here(deliver, [one for one in connections if one in here], frame.data)
        return gone

    def _run_here(self, do: Callable[..., object], *arguments: object) -> None:
        if self._edge is None:
            return
        if threading.get_ident() == self._thread:
            do(*arguments)
        else:
            self._edge.loop.call_soon_threadsafe(do, *arguments)

    def _hand_over(self, worker: str, orders: list[Order], outcome: Outcome) -> None:
        sent = self._links.send(worker, orders)
        if sent is not Sent.OK:
            ids = {one: None for order in orders for one in order.connections}
            (outcome.gone if sent is Sent.NOBODY else outcome.failed).extend(ids)


def _by_worker(connections: Sequence[str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for one in connections:
        groups.setdefault(worker_of(one), []).append(one)
    return groups
