"""How far the user has read and received: confirmed by the server, or repeated on the next connection."""

from __future__ import annotations

import asyncio

from parley_client.backoff import Backoff
from parley_client.connection import Connection
from parley_client.errors import Problem, Unreachable
from parley_client.incoming import Ok
from parley_client.link import Link
from parley_client.outgoing import Read, Received
from parley_client.settings import Settings

Kind = type[Read] | type[Received]


class ReadStates:
    """Holds what is not confirmed yet: for each chat the highest seq, or None for all messages."""

    def __init__(self, link: Link, settings: Settings) -> None:
        self._link = link
        self._settings = settings
        self._waiting: dict[tuple[Kind, str], int | None] = {}
        self._turns: dict[tuple[Kind, str], asyncio.Lock] = {}

    async def mark(self, kind: Kind, chat: str, seq: int | None) -> None:
        """Mark a chat, and return when the server has confirmed it, or at once without a connection.

        Raises Problem.
        """
        waiting = self._waiting.get((kind, chat), 0)
        self._waiting[kind, chat] = None if seq is None or waiting is None else max(seq, waiting)
        backoff = Backoff(self._settings.backoff_base, self._settings.backoff_cap)
        while (connection := self._link.connection) and (kind, chat) in self._waiting:
            try:
                await self._send_one(connection, kind, chat)
            except Problem as problem:
                if not problem.passes:
                    raise
                await asyncio.sleep(backoff.failed(problem.retry_after))
            except (Unreachable, TimeoutError):
                return

    async def send(self, connection: Connection) -> list[Problem]:
        """Send all that is not confirmed; return the refusals. Raises Unreachable."""
        problems = []
        for kind, chat in list(self._waiting):
            try:
                await self._send_one(connection, kind, chat)
            except Problem as problem:
                problems += [] if problem.passes else [problem]
            except TimeoutError:
                break
        return problems

    async def _send_one(self, connection: Connection, kind: Kind, chat: str) -> None:
        """Send what is not confirmed of a chat; marks that come meanwhile are sent together after it."""
        async with self._turns.setdefault((kind, chat), asyncio.Lock()):
            if (kind, chat) in self._waiting:
                await self._ask(connection, kind, chat)

    async def _ask(self, connection: Connection, kind: Kind, chat: str) -> None:
        seq = self._waiting[kind, chat]
        frame = Read(chat=chat, seq=seq) if kind is Read else Received(chat=chat, seq=seq or 0)
        try:
            await connection.ask(frame, Ok)
        except TimeoutError:
            connection.suspect()
            raise
        except Problem as problem:
            if not problem.passes:
                self._done(kind, chat, seq)
            raise
        self._done(kind, chat, seq)

    def _done(self, kind: Kind, chat: str, seq: int | None) -> None:
        if self._waiting.get((kind, chat), 0) == seq:
            self._waiting.pop((kind, chat), None)
