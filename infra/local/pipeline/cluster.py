"""The store's node for calls on the loop, with a cluster."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import redis
from redis.cluster import ClusterNode
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ClusterError,
    MovedError,
    SlotNotCoveredError,
    TryAgainError,
)

from chalicelib.config import Settings
from chalicelib.store.redis.credentials import StoreLogin
from chalicelib.store.redis.nodes import ClusterNodes, Command, packed
from infra.local.pipeline import greenlets
from infra.local.pipeline.asked import Asked
from infra.local.pipeline.login import LoopLogin
from infra.local.pipeline.node import raised
from infra.local.pipeline.slots import Slots

MAX_ATTEMPTS = 16
TRY_AGAIN_SECONDS = 0.05
DOWN_SECONDS = 0.25
# These numbers are redis-py's.
PING = packed(("PING",))
ASKING = packed(("ASKING",))
DIRECTIONS = (AskError, TryAgainError, ClusterDownError)
"""Replies after which a command of a batch is asked again on its own. MovedError is an AskError."""
LOST = (redis.ConnectionError, redis.TimeoutError)


class LoopCluster:
    """A cluster, whose commands of all waiting calls share a connection for each server; see nodes.Node.

    When a server does not answer, the others are asked who owns its slots; so each may take half the time
    that the settings give the store, as with redis-py.

    blocking: For code that runs in a thread.
    """

    def __init__(self, settings: Settings, blocking: ClusterNodes) -> None:
        self.login: StoreLogin | None = LoopLogin(blocking.login) if blocking.login else None
        self._blocking = blocking
        self._slots = Slots(blocking, settings.redis_timeout / 2)

    def execute(self, command: Command, *, repeatable: bool) -> Any:
        """Run a command on the server that owns its keys, wherever the cluster directs it."""
        call = greenlets.current()
        if call is None:
            return self._blocking.execute(command, repeatable=repeatable)
        self._slots.learn()
        return self._directed(call, command, repeatable=repeatable)

    def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """Send each server its commands, then read all replies."""
        call = greenlets.current()
        if call is None:
            return self._blocking.execute_all(commands)
        self._slots.learn()
        replies = self._replies(call, commands)
        for place, reply in enumerate(replies):
            if isinstance(reply, DIRECTIONS):
                replies[place] = self._directed_or_error(call, commands[place])
        return replies

    def ping(self) -> None:
        """Ask every primary whether it is there."""
        call = greenlets.current()
        if call is None:
            self._blocking.ping()
            return
        self._slots.learn()
        self._all_answers(call, dict.fromkeys(self._slots.primaries(), (PING, 1)))

    def close(self) -> None:
        """Close the connections of the loop."""
        self._slots.close()

    def _directed(self, call: greenlets.Call, command: Command, *, repeatable: bool) -> Any:
        data, asking = packed(command), None
        for attempt in range(MAX_ATTEMPTS):
            node = asking or self._owner(command)
            reply = self._answer(call, node, data, asking=asking is not None, repeatable=repeatable)
            asking = None
            if isinstance(reply, MovedError):
                self._slots.note_move(reply)
            elif isinstance(reply, AskError):
                asking = self._slots.asked_node(reply)
            elif isinstance(reply, TryAgainError):
                if attempt >= MAX_ATTEMPTS / 2:
                    greenlets.sleep(TRY_AGAIN_SECONDS)
            else:
                return raised(reply)
        raise ClusterError("TTL exhausted.")

    def _answer(
        self, call: greenlets.Call, node: ClusterNode, data: bytes, *, asking: bool, repeatable: bool
    ) -> Any:
        """Return the reply of a server, or an error of it; after some errors the map is asked for again."""
        server = self._slots.server(node)
        if asking:
            reply = server.ask(call, ASKING + data, 2, repeatable=repeatable)
            reply = reply[1] if isinstance(reply, list) else reply
        else:
            reply = server.ask(call, data, repeatable=repeatable)
        if isinstance(reply, ClusterDownError):
            self._await_map()
        elif isinstance(reply, LOST) and not isinstance(reply, redis.AuthenticationError):
            self._slots.learn_without(node)
        return reply

    def _directed_or_error(self, call: greenlets.Call, command: Command) -> Any:
        try:
            return self._directed(call, command, repeatable=True)
        except redis.ResponseError as error:
            return error

    def _replies(self, call: greenlets.Call, commands: Sequence[Command]) -> list[Any]:
        places: dict[ClusterNode, list[int]] = defaultdict(list)
        for place, command in enumerate(commands):
            places[self._owner(command)].append(place)
        parts = {
            node: (b"".join(packed(commands[place]) for place in own), len(own))
            for node, own in places.items()
        }
        answers = self._all_answers(call, parts)
        replies: list[Any] = [None] * len(commands)
        for node, own in places.items():
            found = answers[node] if len(own) > 1 else [answers[node]]
            for place, reply in zip(own, found, strict=True):
                replies[place] = reply
        return replies

    def _all_answers(
        self, call: greenlets.Call, parts: dict[ClusterNode, tuple[bytes, int]]
    ) -> dict[ClusterNode, Any]:
        """Send all servers their parts, and return their replies; raises the first error of a connection."""
        asked: dict[ClusterNode, Asked] = {
            node: self._slots.server(node).begin(data, count) for node, (data, count) in parts.items()
        }
        answers = {node: one.wait(call) for node, one in asked.items()}
        for node, answer in answers.items():
            if isinstance(answer, LOST):
                if not isinstance(answer, redis.AuthenticationError):
                    self._slots.learn_without(node)
                raise answer
        return answers

    def _owner(self, command: Command) -> ClusterNode:
        try:
            return self._slots.owner(command)
        except SlotNotCoveredError:
            self._await_map()
            raise

    def _await_map(self) -> None:
        greenlets.sleep(DOWN_SECONDS)
        self._slots.learn_again()
