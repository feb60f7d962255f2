"""Whose turn it is to have a message handled: one of each connection, round and round."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from infra.local.sockets.connection import Connection, Turn

GATHER_SECONDS = 0.005


class Turns:
    """Calls handlers for the connections that something waits for, each one call in turn.

    A call runs on the event loop, and the loop does whatever else is due before the next one; so neither
    10,000 messages of one connection nor those of all keep requests, or each other, waiting.

    call: calls a handler; raises nothing. shuffled: what waits is gathered for a moment and handled in any
    order. threads: if not 0, calls run in so many threads instead.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        call: Callable[[Connection, Turn], None],
        *,
        shuffled: bool = False,
        threads: int = 0,
    ) -> None:
        self._loop = loop
        self._call = call
        self._shuffled = shuffled
        self._executor = ThreadPoolExecutor(threads, "socket-call") if threads else None
        self._free = threads or 1
        self._ready: deque[Connection] = deque()
        self._scheduled = False

    def add(self, connection: Connection) -> None:
        """Give a connection its turn, after all that have one already."""
        if not connection.waiting:
            connection.waiting = True
            self._ready.append(connection)
            self._schedule()

    @property
    def idle(self) -> bool:
        """Whether nothing waits."""
        return not self._ready

    def _schedule(self) -> None:
        if self._ready and self._free and not self._scheduled:
            self._scheduled = True
            if self._shuffled:
                self._loop.call_later(GATHER_SECONDS, self._next)
            else:
                self._loop.call_soon(self._next)

    def _next(self) -> None:
        self._scheduled = False
        connection = self._ready.popleft()
        turn = connection.take_turn(shuffled=self._shuffled)
        connection.waiting = connection.has_turns
        if connection.waiting:
            self._ready.append(connection)
        if turn is not None:
            self._begin(connection, turn)
        self._schedule()

    def _begin(self, connection: Connection, turn: Turn) -> None:
        if self._executor is None:
            self._call(connection, turn)
            return
        self._free -= 1
        self._executor.submit(self._call, connection, turn).add_done_callback(self._done)

    def _done(self, _: Future[None]) -> None:
        self._loop.call_soon_threadsafe(self._let_go)

    def _let_go(self) -> None:
        self._free += 1
        self._schedule()
