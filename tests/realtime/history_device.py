"""A device of the storm: it sends, is handed messages, is started again, and remembers all of it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Final

from parley_client import AsyncClient, ChatReset, Closed, Message, State
from tests.realtime.history_check import Entry
from tests.realtime.history_world import Planned

SENDS_AT_ONCE = 2
READ_SHARE = 0.04
"""The share of messages that a device marks as read."""

Making = Callable[[str, State | None], AsyncClient]


class Device:
    """One device of a user.

    make: makes a client of the user, by what the last one's state was. acknowledged, handed: what it saw.
    resets: chats that it got a reset of.
    """

    def __init__(self, name: str, user: str, plan: list[Planned], make: Making, rng: random.Random) -> None:
        self.name: Final = name
        self.user: Final = user
        self.plan: Final = plan
        self.acknowledged: list[Entry] = []
        self.handed: list[Entry] = []
        self.resets: list[str] = []
        self._make = make
        self._rng = rng
        self._client = make(user, None)
        self._awake = asyncio.Event()
        self._awake.set()
        self._closed = False

    async def start(self) -> None:
        """Begin to connect."""
        await self._client.start()

    async def join(self, room: str) -> None:
        """Enter the room, once connected."""
        await self._client.join(room)

    async def restart(self) -> None:
        """Continue as an application that was killed, after it had stored its state."""
        before, state = self._client, State.from_json(self._client.state.to_json())
        self._client = self._make(self.user, state)
        await self._client.start()
        await before.close()

    async def close(self) -> None:
        """Close the client; `take` ends once it has all pending events."""
        self._closed = True
        await self._client.close()

    def sleep(self) -> None:
        """Take no more events, as an application that hangs."""
        self._awake.clear()

    def wake(self) -> None:
        """Take events again."""
        self._awake.set()

    async def take(self) -> None:
        """Take events until it is closed."""
        while True:
            await self._awake.wait()
            client = self._client
            try:
                event = await client.next_event()
            except Closed:
                if self._closed:
                    return
                continue
            if client is self._client:  # else the application was killed before it had stored the event
                await self._note(client, event)

    async def _note(self, client: AsyncClient, event: object) -> None:
        if isinstance(event, Message):
            self.handed.append(entry(event))
            if self._rng.random() < READ_SHARE:
                await client.read(event.chat, event.seq)
        elif isinstance(event, ChatReset):
            self.resets.append(event.chat)

    async def send_all(self) -> None:
        """Send the planned messages, some at once; each with the same id until it is acknowledged."""
        waiting = list(reversed(self.plan))

        async def send() -> None:
            while waiting:
                await self._send(waiting.pop())

        await asyncio.gather(*(send() for _ in range(SENDS_AT_ONCE)))

    async def send_more(self, chat: str, text: str) -> None:
        """Send an unplanned message."""
        planned = Planned(chat, f"{self.name}-{len(self.plan)}", text)
        self.plan.append(planned)
        await self._send(planned)

    async def _send(self, planned: Planned) -> None:
        while True:
            try:
                ack = await self._client.send(planned.chat, planned.text, id=planned.id)
            except Closed:
                continue
            self.acknowledged.append(entry(ack))
            return


def entry(message: Message) -> Entry:
    """Return a message as the checker compares it."""
    return Entry(message.chat, message.seq, message.id, message.sender, message.text)
