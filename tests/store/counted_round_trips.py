"""The round trips with the store of one client, counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.store.redis.nodes import Command, Node


class RoundTrips:
    """Counts the round trips of one client: sends before a read.

    A node of the client's own, which hands everything on to the real one.
    """

    def __init__(self, node: Node) -> None:
        self._node = node
        self.login = node.login
        self.sizes: list[int] = []

    def execute(self, command: Command, *, repeatable: bool) -> Any:
        """Count one command as a round trip."""
        self.sizes.append(1)
        return self._node.execute(command, repeatable=repeatable)

    def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """Count several commands that go out together as one round trip."""
        self.sizes.append(len(commands))
        return self._node.execute_all(commands)

    def ping(self) -> None:
        """Count nothing."""
        self._node.ping()
