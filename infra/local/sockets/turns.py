"""Calls of handlers for connections: many side by side, begun in turn, one of each connection."""

from __future__ import annotations

import asyncio
import functools
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from infra.local.pipeline import greenlets
from infra.local.sockets.connection import Connection, Turn

MAX_CALLS = 256
"""Maximum number of calls under way in a worker."""
BEGUN_AT_ONCE = 8
"""Number of calls begun before the loop does what else is due: what they ask the store goes out together."""
GATHER_SECONDS = 0.005


class Turns:
    """Calls handlers for the connections that something waits for.

    Calls of one connection overlap, as on AWS; that of its end comes after all others. Connections take
    turns, and the loop does whatever else is due in between: so neither 10,000 messages of one connection nor
    those of all keep requests, or each other, waiting.

    call: Calls a handler; raises nothing. shuffled: What waits is gathered for a moment and handled in any
    order. threads: Number of threads that calls run in; 0: they run in greenlets on the loop.
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
        self._most = threads or MAX_CALLS
        self._under_way = 0
        self._ready: deque[Connection] = deque()
        self._scheduled = False

    def add(self, connection: Connection) -> None:
        """Give a connection its turn, after all that have one already."""
        if not connection.waiting and connection.has_turns:
            connection.waiting = True
            self._ready.append(connection)
            self._schedule()

    @property
    def idle(self) -> bool:
        """Whether nothing waits or is under way."""
        return not self._ready and not self._under_way

    def _schedule(self) -> None:
        if self._ready and self._under_way < self._most and not self._scheduled:
            self._scheduled = True
            if self._shuffled:
                self._loop.call_later(GATHER_SECONDS, self._begin_some)
            else:
                self._loop.call_soon(self._begin_some)

    def _begin_some(self) -> None:
        self._scheduled = False
        for _ in range(1 if self._shuffled else BEGUN_AT_ONCE):
            if self._ready and self._under_way < self._most:
                self._begin_next()
        self._schedule()

    def _begin_next(self) -> None:
        connection = self._ready.popleft()
        connection.waiting = False
        turn = connection.take_turn(shuffled=self._shuffled)
        if turn is not None:
            self._under_way += 1
            connection.calls += 1
            self._begin(connection, turn)
        self.add(connection)

    def _begin(self, connection: Connection, turn: Turn) -> None:
        if self._executor is None:
            done = functools.partial(self._end, connection)
            greenlets.start(self._call, connection, turn, done=done)
            return
        call = self._executor.submit(self._call, connection, turn)
        call.add_done_callback(lambda _: self._loop.call_soon_threadsafe(self._end, connection))

    def _end(self, connection: Connection, *_: object) -> None:
        self._under_way -= 1
        connection.calls -= 1
        self.add(connection)
        self._schedule()
