"""Calls that take long, such as those that hash a password, beside the event loop and not on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from chalice.app import Chalice
from chalice.local import LocalChalice

from chalicelib.errors import Overloaded

T = TypeVar("T")

# Some may sleep (a login that is slowed down) or wait for another server while others hash. A hash keeps a
# core busy and takes 19 MiB, in each of 2 x cores + 1 workers: more threads would only take more memory.
THREADS = 4
# At 25 ms a hash the last one is answered after 7 s on one core, well within API Gateway's 29 s.
MOST_CALLS = 256
RETRY_SECONDS = 5


class SlowCalls:
    """Runs handlers in a few threads, in the order they came.

    threads: how many run at once. most: how many may run or wait.
    """

    def __init__(self, threads: int = THREADS, most: int = MOST_CALLS) -> None:
        self._executor = ThreadPoolExecutor(threads, "slow-call")
        self._most = most
        self._calls = 0

    async def run(self, handler: Callable[..., T], *arguments: Any) -> T:
        """Return handler(*arguments), or raise what it raises; raises Overloaded when too many calls wait."""
        if self._calls >= self._most:
            raise Overloaded(
                "Too many calls of this kind are waiting; nothing was done. Try again in a few seconds.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        self._calls += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, handler, *arguments)
        finally:
            self._calls -= 1


def keep_a_request_a_thread(app: Chalice) -> None:
    """Make an app keep one current request a thread, as `chalice local` does, and not one for all."""
    app.__class__ = LocalChalice
