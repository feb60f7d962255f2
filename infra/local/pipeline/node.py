"""The store's node for calls on the loop, with one server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis

from chalicelib.config import Settings
from chalicelib.store.redis.credentials import StoreLogin
from chalicelib.store.redis.nodes import Command, SingleNode, packed
from infra.local.pipeline import greenlets
from infra.local.pipeline.login import LoopLogin
from infra.local.pipeline.server import Server


class LoopNode:
    """One server, whose commands of all waiting calls share a connection; see nodes.Node.

    blocking: For code that runs in a thread.
    """

    def __init__(self, settings: Settings, blocking: SingleNode) -> None:
        self.login: StoreLogin | None = LoopLogin(blocking.login) if blocking.login else None
        self._blocking = blocking
        self._server = Server(blocking.new_connection, settings.redis_timeout)

    def execute(self, command: Command, *, repeatable: bool) -> Any:
        """Run a command; one that cannot have run, or may run twice, is tried again on a new connection."""
        call = greenlets.current()
        if call is None:
            return self._blocking.execute(command, repeatable=repeatable)
        return raised(self._server.ask(call, packed(command), repeatable=repeatable))

    def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """Send all commands, and return their replies; again on a new connection when theirs breaks."""
        call = greenlets.current()
        if call is None:
            return self._blocking.execute_all(commands)
        data = b"".join(map(packed, commands))
        reply = self._server.ask(call, data, len(commands), repeatable=True)
        if len(commands) == 1 and isinstance(reply, redis.ResponseError):
            return [reply]
        return raised(reply) if len(commands) > 1 else [raised(reply)]

    def ping(self) -> None:
        """Ask the server whether it is there."""
        self.execute(("PING",), repeatable=True)

    def close(self) -> None:
        """Close the connections of the loop."""
        self._server.close()


def raised(reply: Any) -> Any:
    """Return a reply, or raise it if it is an error."""
    if isinstance(reply, Exception):
        raise reply
    return reply
