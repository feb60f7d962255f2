"""A store with canned replies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chalicelib.store.redis.credentials import StoreLogin
from chalicelib.store.redis.nodes import Command


class CannedNode:
    """Answers commands with the replies given, in order; an error among them stands in its reply's place.

    round_trips: the commands of each round trip.
    """

    def __init__(self, *replies: Any) -> None:
        self.login: StoreLogin | None = None
        self.replies = list(replies)
        self.round_trips: list[list[Command]] = []

    def execute(self, command: Command, *, repeatable: bool) -> Any:
        """Answer one command."""
        (reply,) = self.execute_all([command])
        if isinstance(reply, Exception):
            raise reply
        return reply

    def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """Answer several commands in one round trip."""
        self.round_trips.append(list(commands))
        return [self.replies.pop(0) for _ in commands]

    def ping(self) -> None:
        """Answer a ping."""
