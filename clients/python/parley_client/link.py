"""Keeps one connection usable: opens it, replaces it before it expires, and reconnects after a loss."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable

from parley_client.backoff import Backoff
from parley_client.connection import Connection
from parley_client.errors import Closed, ParleyError, Problem, Unreachable
from parley_client.overlap import Overlap
from parley_client.settings import Settings

Opening = Callable[[], Awaitable[Connection]]
Greeting = Callable[[Connection], Awaitable[None]]
Losing = Callable[[str, float], None]


class Link:
    """Holds the connection of one user to the server.

    opening: Opens a connection.
    greeting: Sends hello on a connection, which is used after that.
    losing: Called with the reason for a lost connection, and the seconds until the next attempt.
    overlap: Notified while two connections are open.
    """

    def __init__(
        self, opening: Opening, greeting: Greeting, losing: Losing, overlap: Overlap, settings: Settings
    ) -> None:
        self._opening = opening
        self._greeting = greeting
        self._losing = losing
        self._overlap = overlap
        self._settings = settings
        self._connection: Connection | None = None
        self._changed = asyncio.Event()
        self._failure: ParleyError | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._hurry = asyncio.Event()
        self.down = asyncio.Event()
        """Set while no connection can be opened; REST then does what it can."""

    @property
    def connection(self) -> Connection | None:
        """The connection in use; None without one."""
        return self._connection if self._connection and self._connection.open else None

    async def usable(self) -> Connection:
        """Return a connection when there is one; raises the error that ended the link."""
        while True:
            if self._failure:
                raise self._failure
            if connection := self.connection:
                return connection
            await self._next_change()

    async def usable_or_none(self) -> Connection | None:
        """Return a connection, or None when none can be opened; raises the error that ended the link."""
        while not (self.down.is_set() and self.connection is None and not self._failure):
            if self._failure or self.connection:
                return await self.usable()
            await self._next_change()
        return None

    def hurry(self) -> None:
        """Connect at once, because the server responds again; not before a time that it asked for."""
        self._hurry.set()

    async def run(self) -> ParleyError:
        """Keep a connection until the server refuses permanently; return the refusal."""
        backoff = Backoff(self._settings.backoff_base, self._settings.backoff_cap)
        while True:
            try:
                await self._hold(await self._opened(), backoff)
            except ParleyError as error:
                if not _passes(error):
                    return self.fail(error)
                asked = error.retry_after if isinstance(error, Problem) else None
                await self._pause(str(error), backoff.failed(asked), asked or 0.0)

    async def _opened(self) -> Connection:
        try:
            return await self._made()
        except ParleyError as error:
            if _passes(error):
                self.down.set()
                self._changed.set()
            raise

    async def _pause(self, reason: str, delay: float, least: float) -> None:
        self._losing(reason, delay)
        self._hurry.clear()
        await asyncio.sleep(least)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(delay - least):
                await self._hurry.wait()

    async def _next_change(self) -> None:
        self._changed.clear()
        await self._changed.wait()

    async def close(self) -> None:
        """Close open connections; calls that wait for one raise Closed."""
        self.fail(Closed("The client is closed."))
        for task in self._retiring:
            task.cancel()
        await asyncio.gather(*self._retiring, return_exceptions=True)
        if self._connection:
            await self._connection.close()

    async def _made(self, replacing: Connection | None = None) -> Connection:
        """Return a connection after its hello; replacing: The connection that stays open meanwhile."""
        connection = await self._opening()
        try:
            if replacing:
                self._overlap.begin(replacing, connection)
            await self._greeting(connection)
        except BaseException as error:
            self._overlap.end(connection)
            await connection.close()
            if isinstance(error, TimeoutError):
                raise Unreachable("The server did not respond in time.") from None
            raise
        return connection

    async def _hold(self, connection: Connection, backoff: Backoff) -> None:
        """Use a connection, and those that replace it, until one is lost; then raises Unreachable."""
        while True:
            self._use(connection)
            opened = asyncio.get_running_loop().time()
            life = self._settings.life_seconds * random.uniform(0.9, 1.0)  # noqa: S311 # spreads load
            await asyncio.wait([connection.lost], timeout=life)
            if asyncio.get_running_loop().time() - opened > min(self._settings.backoff_cap, life):
                backoff.succeeded()
            if not connection.open:
                await connection.close()
                raise Unreachable(f"The connection was lost: {connection.lost.result()}.")
            connection = await self._successor(connection, backoff)

    async def _successor(self, old: Connection, backoff: Backoff) -> Connection:
        """Return a new connection, and close the old one; or the old one if the new one is lost first."""
        while old.open:
            try:
                new = await self._made(old)
            except ParleyError as error:
                delay = backoff.failed(error.retry_after if isinstance(error, Problem) else None)
                await asyncio.wait([old.lost], timeout=delay)
            else:
                task = asyncio.get_running_loop().create_task(self._retire(old))
                self._retiring.add(task)
                task.add_done_callback(self._retiring.discard)
                return new
        return old

    async def _retire(self, old: Connection) -> None:
        try:
            await old.drained()
        finally:
            await old.close()
            self._overlap.end(old)

    def _use(self, connection: Connection) -> None:
        self._connection = connection
        self.down.clear()
        self._changed.set()

    def fail(self, error: ParleyError) -> ParleyError:
        """End the link: calls that wait for a connection raise the error."""
        self._failure = self._failure or error
        self._changed.set()
        return error


def _passes(error: ParleyError) -> bool:
    return isinstance(error, Unreachable) or (isinstance(error, Problem) and error.passes)
