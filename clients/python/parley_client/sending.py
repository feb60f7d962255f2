"""Sending messages; each is stored once, however often it is repeated."""

from __future__ import annotations

import asyncio

from parley_client.backoff import Backoff
from parley_client.connection import Connection
from parley_client.errors import Problem, Unreachable
from parley_client.inbox import Inbox
from parley_client.incoming import Ack
from parley_client.link import Link
from parley_client.names import folded
from parley_client.outgoing import Send
from parley_client.rest import Rest
from parley_client.settings import Settings


class Sending:
    """Sends one message of a chat at a time: a server may handle a connection's frames in any order."""

    def __init__(self, link: Link, rest: Rest, inbox: Inbox, settings: Settings) -> None:
        self._link = link
        self._rest = rest
        self._inbox = inbox
        self._settings = settings
        self._turns: dict[str, asyncio.Lock] = {}

    async def send(self, frame: Send) -> Ack:
        """Send a message and return it as stored; see AsyncClient.send."""
        backoff = Backoff(self._settings.backoff_base, self._settings.backoff_cap)
        async with self._turns.setdefault(_same(frame.chat), asyncio.Lock()):
            while True:
                try:
                    return await self._try(frame)
                except Problem as problem:
                    if not problem.passes:
                        raise
                    await asyncio.sleep(backoff.failed(problem.retry_after))
                except Unreachable:
                    await asyncio.sleep(0 if self._link.connection else backoff.failed())
                except TimeoutError:
                    pass

    async def _try(self, frame: Send) -> Ack:
        if (connection := await self._connection()) is None:
            return await self._by_rest(frame)
        try:
            return await connection.ask(frame, Ack)
        except TimeoutError:
            connection.suspect()
            raise

    async def _connection(self) -> Connection | None:
        """Return a connection; None means to use REST."""
        if self._settings.fallback_seconds is None:
            return await self._link.usable()
        try:
            async with asyncio.timeout(self._settings.fallback_seconds):
                return await self._link.usable_or_none()
        except TimeoutError:
            return None

    async def _by_rest(self, frame: Send) -> Ack:
        ack = await self._rest.send(frame)
        self._inbox.push(ack.message())
        return ack


def _same(chat: str) -> str:
    """Return the same key for all spellings of a chat."""
    return ":".join(sorted(folded(chat).split(":")))
