"""Polling by REST while no WebSocket can be opened."""

from __future__ import annotations

import asyncio
import random

from parley_client.errors import ParleyError, Problem
from parley_client.inbox import Inbox
from parley_client.link import Link
from parley_client.rest import Rest
from parley_client.settings import Settings

PAGE_CHATS = 100


class Polling:
    """Polls for changed chats; see Settings.poll_seconds.

    greeting: A lock that every sync holds. When a failed server responds again, a WebSocket is opened at
        once.
    """

    def __init__(
        self, link: Link, rest: Rest, inbox: Inbox, greeting: asyncio.Lock, settings: Settings
    ) -> None:
        self._link = link
        self._rest = rest
        self._inbox = inbox
        self._greeting = greeting
        self._seconds = settings.poll_seconds

    async def run(self) -> None:
        """Poll until cancelled."""
        if self._seconds is None:
            return
        failed = False
        while True:
            await self._link.down.wait()
            pause = self._seconds * random.uniform(0.5, 1.0)  # noqa: S311 # spreads load
            try:
                await self._poll()
            except ParleyError as error:
                failed = True
                pause += (error.retry_after or 0.0) if isinstance(error, Problem) else 0.0
            else:
                if failed:
                    self._link.hurry()
                failed = False
            await asyncio.sleep(pause)

    async def _poll(self) -> None:
        async with self._greeting:
            more = True
            self._inbox.begin_sync()
            while more and self._link.down.is_set():
                check = self._inbox.unchecked.take()
                try:
                    response = await self._rest.sync(self._inbox.version, PAGE_CHATS, check)
                except Problem as problem:
                    if not self._inbox.unchecked.refused(problem):
                        raise
                    continue
                self._inbox.sync(response.frame())
                more = response.more or self._inbox.unchecked.waiting
            if not more:
                self._inbox.synced()
