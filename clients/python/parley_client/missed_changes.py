"""Reading what frames did not tell: missed changes, whole messages, rows of new chats."""

from __future__ import annotations

import asyncio
import contextlib

from parley_client.backoff import Backoff
from parley_client.errors import ParleyError, Problem, Unreachable
from parley_client.event_queue import EventQueue
from parley_client.inbox import Inbox
from parley_client.rest import Rest
from parley_client.settings import Settings

LAST_SECONDS = 1.0
"""Maximum number of seconds that closing waits for requests that are on their way."""
AT_ONCE = 8
"""Maximum number of chats whose changes are read at once."""


class MissedChanges:
    """Runs one task for each chat of which something has to be read, by REST."""

    def __init__(self, inbox: Inbox, events: EventQueue, rest: Rest, settings: Settings) -> None:
        self._inbox = inbox
        self._events = events
        self._rest = rest
        self._settings = settings
        self._running: dict[str, asyncio.Task[None]] = {}
        self._single: dict[str, set[int]] = {}
        self._rows: set[str] = set()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._closing = False

    def want_message(self, chat: str, seq: int) -> None:
        """Read one message of a chat again."""
        self._single.setdefault(chat, set()).add(seq)
        self.want(chat)

    def want_row(self, chat: str) -> None:
        """Read the row of a chat."""
        self._rows.add(chat)
        self.want(chat)

    def want(self, chat: str) -> None:
        """Read what is missing of a chat."""
        if chat not in self._running:
            self._running[chat] = asyncio.get_running_loop().create_task(self._run(chat))

    async def close(self) -> None:
        """Stop reading; a request that is on its way may end, so that its connection is closed."""
        self._closing = True
        tasks = list(self._running.values())
        if tasks:
            await asyncio.wait(tasks, timeout=LAST_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, chat: str) -> None:
        try:
            if not self._inbox.changes.are_pending(chat):
                await asyncio.sleep(self._settings.gap_seconds)  # one read for several reactions
            with contextlib.suppress(ParleyError):
                await self._read_all(chat)
        finally:
            del self._running[chat]

    async def _read_all(self, chat: str) -> None:
        backoff = Backoff(self._settings.backoff_base, self._settings.backoff_cap)
        while not self._closing and self._wants(chat):
            await self._events.room()
            try:
                async with self._slots:
                    await self._read_some(chat)
                backoff.succeeded()
            except Problem as problem:
                await self._refused(chat, problem, backoff)
            except Unreachable:
                await asyncio.sleep(backoff.failed())

    def _wants(self, chat: str) -> bool:
        return self._inbox.changes.are_pending(chat) or bool(self._single.get(chat)) or chat in self._rows

    async def _read_some(self, chat: str) -> None:
        if self._inbox.changes.are_pending(chat):
            log = self._inbox.log(chat)
            page = await self._rest.changes(chat, log.versions.since if log else None)
            if page.reset:
                self._inbox.read_again(chat, lost=False)
            elif log and self._inbox.log(chat) is log:
                self._inbox.changes.page(chat, page)
        elif seqs := self._single.get(chat):
            seq = min(seqs)
            message = await self._rest.messages.one(chat, seq)
            seqs.discard(seq)
            self._inbox.changes.take(message)
        else:
            row = await self._rest.chat(chat)
            self._rows.discard(chat)
            self._inbox.moved(row)

    async def _refused(self, chat: str, problem: Problem, backoff: Backoff) -> None:
        if problem.code == "history_changed":
            self._inbox.read_again(chat)
        elif problem.passes:
            await asyncio.sleep(backoff.failed(problem.retry_after))
        elif self._inbox.changes.are_pending(chat):
            self._inbox.changes.give_up(chat)
        else:
            self._single.pop(chat, None)
            self._rows.discard(chat)
