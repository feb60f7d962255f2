"""The node of a worker's loop, asked by callers that wait side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import uvloop

from chalicelib.config import Settings
from chalicelib.store.redis.nodes import Command, SingleNode
from infra.local.pipeline import greenlets
from infra.local.pipeline.node import LoopNode


class SharedConnection:
    """A loop and its node."""

    def __init__(self, settings: Settings) -> None:
        self._loop = uvloop.new_event_loop()
        self._node = LoopNode(settings, SingleNode(settings))

    def asking(self, command: Command, callers: int) -> Callable[[int], None]:
        """Return a function that runs a command some number of times in all, by some callers at once."""

        def ask(count: int) -> None:
            for _ in range(count // callers):
                self._node.execute(command, repeatable=False)

        async def run(count: int) -> None:
            await asyncio.gather(*(greenlets.run(ask, count) for _ in range(callers)))

        return lambda count: self._loop.run_until_complete(run(count))
