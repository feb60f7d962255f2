"""A pusher for tests without connections, which keeps the frames, and fails as configured."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from chalicelib.push_gateway.pusher import CloseReason, Outcome, OutgoingFrame
from chalicelib.store.realtime.connection import Connections
from chalicelib.store.realtime.connection_results import ConnectOutcome, Recipient
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store

LEASE = 660 * 1_000_000


class Wire:
    """A Pusher; inline: as a Pusher has it.

    frames: received frames, by connection. gone, failing: such connections. calls: number of pushes.
    crash: raised by the next push, before any frame arrives.
    """

    def __init__(self, inline: int = 50) -> None:
        self.inline = inline
        self.frames: dict[str, list[Any]] = defaultdict(list)
        self.gone: set[str] = set()
        self.failing: set[str] = set()
        self.closed: list[str] = []
        self.crash: BaseException | None = None
        self.calls = 0

    def push(self, frames: Sequence[OutgoingFrame]) -> Outcome:
        """Keep the frames of those that live."""
        self.calls += 1
        if self.crash is not None:
            crash, self.crash = self.crash, None
            raise crash
        asked = [one for frame in frames for one in frame.connections]
        for frame in frames:
            for one in frame.connections:
                if one not in self.gone | self.failing:
                    data = frame.data
                    self.frames[one].append(json.loads(data) if data[:1] == b"{" else data)
        gone, failed = ([one for one in asked if one in those] for those in (self.gone, self.failing))
        return Outcome(gone, failed)

    def close(self, connections: Sequence[str], ending: CloseReason) -> None:
        """Note it."""
        self.closed += connections

    def seqs(self, connection: str) -> list[int]:
        """Return the seqs of a connection's messages."""
        return [frame["seq"] for frame in self.frames[connection] if frame["type"] == "message"]


def connect(store: Store, handle: str, connection: str, *, protobuf: bool = False) -> Recipient:
    """Connect a user of an open server, who says hello; the connection is attached to no chat."""
    user_connections, connections = UserConnections(LEASE), Connections(LEASE)
    entry = store.run(user_connections.connect(handle, None, b"", connection, protobuf=protobuf))
    assert entry.outcome is ConnectOutcome.OK
    store.run(connections.open(connection, handle, b"", protobuf=protobuf, room=None))
    assert store.run(user_connections.ready(handle, connection)) is not None
    return Recipient(connection, protobuf)
