"""Pulling messages whose pushes did not arrive."""

from __future__ import annotations

import asyncio
import contextlib

from parley_client.backoff import Backoff
from parley_client.chat_log import ChatLog
from parley_client.connection import Connection
from parley_client.errors import ParleyError, Problem, Unreachable
from parley_client.event_queue import EventQueue
from parley_client.inbox import Inbox
from parley_client.incoming import Page
from parley_client.link import Link
from parley_client.outgoing import Pull
from parley_client.rest import Rest
from parley_client.settings import Settings

AT_ONCE = 8
"""Maximum number of chats that are pulled at once."""
FRUITLESS = 3
"""Number of consecutive pulls without a message after which the log is considered to have no more."""


class Repairs:
    """Runs one task for each chat with missing messages."""

    def __init__(self, inbox: Inbox, events: EventQueue, link: Link, rest: Rest, settings: Settings) -> None:
        self._inbox = inbox
        self._events = events
        self._link = link
        self._rest = rest
        self._settings = settings
        self._running: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self._slots = asyncio.Semaphore(AT_ONCE)

    def want(self, chat: str, urgent: bool) -> None:
        """Pull a chat; urgent: At once, instead of after the time in which missing pushes may arrive."""
        if chat not in self._running:
            hurry = asyncio.Event()
            task = asyncio.get_running_loop().create_task(self._repair(chat, hurry))
            self._running[chat] = (task, hurry)
        if urgent:
            self._running[chat][1].set()

    async def close(self) -> None:
        """Stop all pulls."""
        tasks = [task for task, _ in self._running.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _repair(self, chat: str, hurry: asyncio.Event) -> None:
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.gap_seconds):
                    await hurry.wait()
            with contextlib.suppress(ParleyError):
                await self._pull_all(chat)
        finally:
            del self._running[chat]

    async def _pull_all(self, chat: str) -> None:
        backoff = Backoff(self._settings.backoff_base, self._settings.backoff_cap)
        fruitless = 0
        while (log := self._inbox.log(chat)) and log.behind:
            await self._events.room()
            before = log.cursor
            try:
                async with self._slots:
                    await self._pull(log)
                backoff.succeeded()
            except Problem as problem:
                await self._refused(chat, problem, backoff)
                continue
            except (TimeoutError, Unreachable):
                await asyncio.sleep(backoff.failed())
                continue
            fruitless = fruitless + 1 if log.cursor == before else 0
            if fruitless:
                await asyncio.sleep(self._settings.gap_seconds)
            if fruitless == FRUITLESS:
                log.give_up()
                self._inbox.pulled(chat)

    async def _refused(self, chat: str, problem: Problem, backoff: Backoff) -> None:
        if problem.code == "history_changed":
            self._inbox.restart(chat)
        elif problem.passes:
            await asyncio.sleep(backoff.failed(problem.retry_after))
        else:
            self._inbox.forget(chat)

    async def _pull(self, log: ChatLog) -> None:
        if log.cursor is None:
            backlog = self._settings.backlog
            log.begin(0 if backlog is None else (await self._page(log.chat, None, 1)).head, backlog)
        page = await self._page(log.chat, str(log.cursor), self._settings.page_messages)
        if self._inbox.log(log.chat) is log:
            self._inbox.page(log.chat, page)

    async def _page(self, chat: str, after: str | None, limit: int) -> Page:
        if (connection := await self._connection()) is None:
            return await self._rest.page(chat, after=after, limit=limit)
        try:
            return await connection.ask(Pull(chat=chat, after=after, limit=limit), Page)
        except TimeoutError:
            connection.suspect()
            raise

    async def _connection(self) -> Connection | None:
        if self._settings.poll_seconds is None:
            return await self._link.usable()
        return await self._link.usable_or_none()
