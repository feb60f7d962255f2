"""The nodes of a worker's loop, for tests that block: the loop runs in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any

import uvloop

from chalicelib.config import Settings
from chalicelib.store.redis import installed
from chalicelib.store.redis.nodes import BlockingNode, Command, Node
from infra.local.pipeline import greenlets
from infra.local.pipeline.nodes import node_on_loop


class LoopThread:
    """A thread that runs a loop, where calls run in greenlets."""

    def __init__(self) -> None:
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def begin(self, function: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Call a function in a greenlet on the loop."""
        future: Future[Any] = Future()

        def done(result: Any, error: BaseException | None) -> None:
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)

        self._loop.call_soon_threadsafe(lambda: greenlets.start(function, *arguments, done=done))
        return future

    def end(self) -> None:
        """Stop the loop."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


class BlockingCaller:
    """A node on a loop, for callers that wait for it in other threads."""

    def __init__(self, loop: LoopThread, node: Any) -> None:
        self.node = node
        self.login = node.login
        self._loop = loop

    def execute(self, command: Command, *, repeatable: bool) -> Any:
        """Run a command; see Node."""
        return self._loop.begin(lambda: self.node.execute(command, repeatable=repeatable)).result()

    def execute_all(self, commands: Sequence[Command]) -> list[Any]:
        """Run commands; see Node."""
        replies: list[Any] = self._loop.begin(self.node.execute_all, commands).result()
        return replies

    def ping(self) -> None:
        """Ask whether the store is there; see Node."""
        self._loop.begin(self.node.ping).result()


@contextlib.contextmanager
def nodes_on_loop() -> Iterator[None]:
    """Have every new Store use a node on a loop, as in a worker of the laptop server."""
    loop, made = LoopThread(), []

    def make(settings: Settings, blocking: BlockingNode) -> Node:
        made.append(node := node_on_loop(settings, blocking))
        return BlockingCaller(loop, node)

    installed.install(make)
    try:
        yield
    finally:
        installed.install(None)
        for node in made:
            loop.begin(getattr(node, "close", lambda: None)).result()
        loop.end()
