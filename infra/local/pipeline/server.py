"""One server of the store: what all calls ask it in one turn of the loop goes out in one write."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import redis
from redis.connection import ConnectionInterface

from chalicelib.store.redis.nodes import NewConnection
from infra.local.pipeline import greenlets
from infra.local.pipeline.asked import Asked, another, is_lost
from infra.local.pipeline.connection import PipelinedConnection

MAX_CONNECTIONS = 4
"""Maximum number of connections to a server: one, and others while large replies or commands hold it up."""
MAX_WAITING = 10_000
"""Maximum number of calls that wait for a connection."""
MAX_ENDED_UNUSED = 4
"""Maximum number of connections in a row that the server closes between the login and the first command."""


class Server:
    """Asks one server by a few connections, which are opened in threads.

    new_connection: Returns a connection of redis-py that is not open yet. timeout: Seconds for a reply.
    """

    def __init__(self, new_connection: NewConnection, timeout: float) -> None:
        self._new_connection = new_connection
        self._timeout = timeout
        self._loop: Any = None
        self._connections: list[PipelinedConnection] = []
        self._queue: list[Asked] = []
        self._is_flush_due = False
        self._is_opening = False
        self._ended_unused = 0

    def ask(self, call: greenlets.Call, packed: bytes, count: int = 1, *, repeatable: bool) -> Any:
        """Return the reply to commands, the list of those to several, or the exception that ended the wait.

        Several commands must be repeatable.
        """
        self._put(Asked(call, packed, count, repeatable=repeatable))
        return greenlets.wait()

    def begin(self, packed: bytes, count: int = 1) -> Asked:
        """Ask repeatable commands without waiting; see Asked.wait."""
        asked = Asked(None, packed, count, repeatable=True)
        self._put(asked)
        return asked

    def close(self) -> None:
        """Close every connection."""
        for connection in list(self._connections):
            connection.close(redis.ConnectionError("Connection closed."))

    def lost(self, connection: PipelinedConnection, error: Exception, asked: Sequence[Asked]) -> None:
        """Ask again what may be asked twice, and end the wait of the others; see connection.Owner."""
        self._connections.remove(connection)
        again: list[Asked] = []
        failed: list[Asked] = self._take_queue() if isinstance(error, redis.TimeoutError) else []
        for one in asked:
            (again if one.may_repeat(error) else failed).append(one)
        self.unwritten(again)
        self.has_room()  # for calls that it had no room for: nothing else would send them
        _fail(failed, error)

    def unwritten(self, asked: Sequence[Asked]) -> None:
        """Ask again before all others; see connection.Owner."""
        if asked:
            self._queue[:0] = asked
            self._schedule()

    def refused(self, asked: Asked, error: redis.ConnectionError) -> None:
        """Ask again on another connection, or end the wait; see connection.Owner."""
        if asked.may_repeat(error):
            self.unwritten([asked])
        else:
            asked.settle(error)

    def has_room(self) -> None:
        """Send what waits; see connection.Owner."""
        if self._queue:
            self._schedule()

    def _put(self, asked: Asked) -> None:
        if len(self._queue) >= MAX_WAITING:
            raise redis.ConnectionError(f"{MAX_WAITING} calls wait for the store already.")
        self._queue.append(asked)
        if not self._is_flush_due:
            self._schedule()

    def _schedule(self) -> None:
        if not self._is_flush_due:
            self._is_flush_due = True
            if self._loop is None:
                self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._flush)

    def _flush(self) -> None:
        """Send what waits by a connection that is free; without one, open another if there may be more."""
        self._is_flush_due = False
        if self._queue:
            try:
                self._send()
            except Exception as error:  # without which those who wait would wait for ever
                _fail(self._take_queue(), error)

    def _send(self) -> None:
        connection = self._free_connection(all(one.repeatable for one in self._queue))
        if connection is not None:
            self._ended_unused = 0
            connection.write(self._take_queue(connection.room))
        elif self._ended_unused >= MAX_ENDED_UNUSED:
            self._ended_unused = 0
            raise redis.ConnectionError("The store closes connections before they are used.")
        elif not self._is_opening and len(self._connections) < MAX_CONNECTIONS:
            self._open()
        elif not self._is_opening:
            self._write_to_busy()

    def _free_connection(self, repeatable: bool) -> PipelinedConnection | None:
        """Return the first connection that is free; repeatable: Whether it may turn out to be closed."""
        for connection in list(self._connections):
            if connection.is_idle and connection.used.is_long_ago():
                connection.close(redis.ConnectionError("Connection closed."))
            elif not repeatable and connection.is_ended():
                connection.close(redis.ConnectionError("Connection closed by server."))
                self._ended_unused += 1
            elif connection.is_free:
                return connection
        return None

    def _write_to_busy(self) -> bool:
        able = [connection for connection in self._connections if connection.room > 0]
        if able:
            able[-1].write(self._take_queue(able[-1].room))
        return bool(able)

    def _take_queue(self, most: int = sys.maxsize) -> list[Asked]:
        taken, self._queue = self._queue[:most], self._queue[most:]
        return taken

    def _open(self) -> None:
        opening = self._loop.run_in_executor(greenlets.threads(), self._opened)
        self._is_opening = True
        opening.add_done_callback(self._use)

    def _opened(self) -> ConnectionInterface:
        """Return an open connection; a failure that may pass at once is tried again."""
        connection: Any = self._new_connection()
        login = connection.credential_provider
        shown = login and login.get_credentials()
        try:
            connection.connect()
        except redis.ConnectionError as error:
            if not is_lost(error) and shown == (login and login.get_credentials()):
                raise  # else another call has renewed the login meanwhile
            connection = self._new_connection()
            connection.connect()
        opened: ConnectionInterface = connection
        return opened

    def _use(self, opening: asyncio.Future[ConnectionInterface]) -> None:
        self._is_opening = False
        error = opening.exception()
        try:
            if error is None:
                made = PipelinedConnection(opening.result(), self, self._loop, self._timeout)
                self._connections.append(made)
        except (OSError, AttributeError) as unusable:
            error = redis.ConnectionError(f"a new connection cannot be used: {unusable}")
        if error is None:
            self._flush()
        elif self._queue and not self._write_to_busy():
            _fail(self._take_queue(), error)


def _fail(asked: Sequence[Asked], error: BaseException) -> None:
    """End the wait of calls with the same error."""
    errors = [error, *(another(error) for _ in asked[1:])]
    for one, own in zip(asked, errors, strict=False):
        one.settle(own)
