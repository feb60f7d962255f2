"""Calls that take long, such as those that hash a password, beside the event loop and not on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from chalicelib.errors import Overloaded

T = TypeVar("T")

# More than services/accounts/hash_queue.py has running and waiting, so a flood of guesses leaves some.
THREADS = 12
# At 25 ms a hash the last one is answered after 7 s on one core, well within API Gateway's 29 s.
MAX_CALLS = 256
RETRY_SECONDS = 5


class SlowCalls:
    """Runs handlers in a few threads: those of each caller in the order they came, callers in turn.

    threads: how many run at once. most: how many may run or wait; of one caller half as many may wait.
    """

    def __init__(self, threads: int = THREADS, most: int = MAX_CALLS) -> None:
        self._executor = ThreadPoolExecutor(threads, "slow-call")
        self._free = threads
        self._most = most
        self._calls = 0
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def run(self, caller: str, handler: Callable[..., T], *arguments: Any) -> T:
        """Return handler(*arguments), or raise what it raises.

        caller: whose call it is, such as an address. Raises Overloaded when too many calls wait.
        """
        waiting = len(self._waiting.get(caller, ()))
        if self._calls >= self._most or waiting >= max(self._most // 2, 1):
            raise Overloaded(
                "Too many calls of this kind are waiting; this one was not started. Try again in a few "
                "seconds.",
                headers={"Retry-After": str(RETRY_SECONDS)},
            )
        self._calls += 1
        try:
            await self._turn(caller)
            return await self._begun(handler, *arguments)
        finally:
            self._calls -= 1

    async def _turn(self, caller: str) -> None:
        """Return when a thread is free and it is this call's turn."""
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(caller, deque()).append(turn)
        self._give_turns()
        try:
            await turn
        except asyncio.CancelledError:
            if not turn.cancelled():
                self._let_go()
            raise

    def _begun(self, handler: Callable[..., T], *arguments: Any) -> asyncio.Future[T]:
        loop = asyncio.get_running_loop()

        def let_go(_: object) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._let_go)

        call = self._executor.submit(handler, *arguments)
        call.add_done_callback(let_go)  # and not when its caller leaves: the thread is busy until then
        return asyncio.wrap_future(call)

    def _let_go(self) -> None:
        self._free += 1
        self._give_turns()

    def _give_turns(self) -> None:
        while self._free and self._waiting:
            caller, turns = next(iter(self._waiting.items()))
            turn = turns.popleft()
            del self._waiting[caller]
            if turns:
                self._waiting[caller] = turns  # after all others
            if not turn.done():
                self._free -= 1
                turn.set_result(None)
