"""Sending in the background: the user can type on at once."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

from parley_client.async_client import AsyncClient
from parley_client.chat.background import Background
from parley_client.chat.lines import clean
from parley_client.errors import ParleyError

TYPING_SECONDS = 3.0
"""Minimum number of seconds between two typing notices."""

LATE_SECONDS = 2.0
"""Seconds after which the chat says that a message is not sent yet."""


class Outbox:
    """Sends messages and typing notices.

    say: Shows what went wrong.
    shown: Returns when a message of a chat, by its seq, was shown.
    unsent: Number of texts that were not sent.
    """

    def __init__(
        self,
        client: AsyncClient,
        say: Callable[[str], None],
        shown: Callable[[str, int], Coroutine[Any, Any, None]],
    ) -> None:
        self._client = client
        self._say = say
        self._shown = shown
        self.unsent = 0
        self._notified_at = 0.0
        self._background = Background()

    def send(self, chat: str, text: str, reply_to: int | None = None) -> None:
        """Send a message; its event shows it when it is stored."""
        self._notified_at = 0.0
        self._background.start(self._send(chat, text, reply_to))

    def typed(self, chat: str) -> None:
        """Notify the other members of a chat, from time to time, that the user is typing."""
        now = time.monotonic()
        if now - self._notified_at > TYPING_SECONDS:
            self._notified_at = now
            self._background.start(self._notify(chat))

    async def finish(self, seconds: float) -> None:
        """Return when everything is sent, or the time is over; shows what was not sent."""
        if left := await self._background.finish(seconds):
            self.unsent += left
            self._say(f"! {left} not sent: the server did not answer.")

    async def _send(self, chat: str, text: str, reply_to: int | None) -> None:
        loop = asyncio.get_running_loop()
        late = loop.call_later(LATE_SECONDS, self._say, f"… Not sent yet: {clean(text)}")
        try:
            ack = await self._client.send(chat, text, reply_to=reply_to)
        except ParleyError as error:
            self.unsent += 1
            self._say(f"! Not sent: {clean(str(error))} ({clean(text)})")
        else:
            await self._shown(ack.chat, ack.seq)
        finally:
            late.cancel()

    async def _notify(self, chat: str) -> None:
        try:
            await self._client.typing(chat)
        except (ParleyError, TimeoutError):
            self._notified_at = 0.0
