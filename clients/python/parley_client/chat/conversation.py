"""The chat on the screen: what it shows, and what the user does with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from parley_client.async_client import AsyncClient
from parley_client.chat.arrivals import Arrivals
from parley_client.chat.background import Background
from parley_client.chat.lines import clean, dim, line_of, row_line, title
from parley_client.chat.row_news import RowNews
from parley_client.chat.screen import Screen
from parley_client.chat.shown import ShownMessages
from parley_client.chat.status import Status
from parley_client.errors import ParleyError, Problem
from parley_client.models import ChatRow, Message
from parley_client.names import direct_chat, folded

WATCH_SECONDS = 5.0
HISTORY = 20


class Conversation:
    """Shows the chat on the screen, and notices about the other chats.

    chat: The id of the chat on the screen.
    first: What to do at the start instead of listing the chats.
    entering: The room to enter when there is a connection.
    """

    def __init__(self, client: AsyncClient, name: str) -> None:
        self._client = client
        self.me = folded(name)
        self.chat: str | None = None
        self.first: Callable[[], Awaitable[None]] | None = None
        self.begun = asyncio.Event()
        self.screen: Screen | None = None
        self.entering: str | None = None
        self.state = Status()
        self.arrivals = Arrivals()
        self.messages = ShownMessages()
        self.background = Background()
        self._row_news = RowNews()
        self._shown: dict[str, int] = {}
        self._held: dict[str, list[Message]] = {}
        self._moved = asyncio.Event()
        self._before: str | None = None

    def prompt(self) -> str:
        """Return the prompt."""
        return f"{clean(title(self.chat, self.me))}> " if self.chat else "> "

    def status(self) -> str:
        """Return the status line."""
        return self.state.line(self.chat, self.me)

    def say(self, text: str) -> None:
        """Show a text."""
        if self.screen:
            self.screen.say(text)

    async def receive(self, message: Message) -> None:
        """Show a message, unless it was shown before; a message of another chat has that chat's title."""
        self.state.wrote(message.chat, message.sender)
        if message.chat in self._held:
            self._held[message.chat].append(message)
            return
        is_news = self.arrivals.is_news(message)
        if message.seq <= self._shown.get(message.chat, 0):
            return
        self._shown[message.chat] = message.seq
        self._moved.set()
        if not is_news:
            return
        if self.chat is None and message.sender != self.me and message.kind != "system":
            self.say(f"* {clean(message.sender)} wrote to you. Your messages now go to this chat.")
            await self._turn_to(message.chat)
        self.show(message)
        if message.chat == self.chat and message.sender != self.me:
            self._mark_read(message.chat, message.seq)

    def show(self, message: Message) -> None:
        """Show a message, with its chat's title unless the chat is on the screen."""
        self.messages.add(message)
        self.say(line_of(message, self.me, self._label(message.chat)))

    def change(self, message: Message) -> None:
        """Show how a message that was shown before has changed."""
        if line := self.messages.changed(message, self.me, self._label(message.chat)):
            self.say(line)

    def hide(self, chat: str, seq: int) -> None:
        """Say that a message that was shown before is deleted for the user alone."""
        if self.messages.drop(chat, seq):
            self.say(f"{dim(f'#{seq}')} {dim('(deleted for you)')}")

    def move(self, row: ChatRow) -> None:
        """Say what a new row tells, once the chat has begun."""
        if (line := self._row_news.line(row, self.me)) and self.begun.is_set():
            self.say(line)

    def forget(self, chat: str) -> None:
        """Forget which messages of a chat were shown."""
        self._shown.pop(chat, None)
        self.messages.forget(chat)

    async def until_shown(self, chat: str, seq: int) -> None:
        """Return when a message, or a later one, is shown."""
        while self._shown.get(chat, 0) < seq:
            self._moved.clear()
            await self._moved.wait()

    def direct(self, other: str) -> str:
        """Return the id of the direct chat with another user."""
        return direct_chat(self.me, other)

    @asynccontextmanager
    async def holding(self, chat: str) -> AsyncIterator[None]:
        """Hold a chat's incoming messages until the block ends, then show those that `open` has not shown."""
        if chat in self._held:
            yield
            return
        held = self._held[chat] = []
        try:
            yield
        finally:
            del self._held[chat]
            for message in held:
                await self.receive(message)

    async def open(self, chat: str) -> None:
        """Put a chat on the screen: its newest messages, with a line before the first unread one."""
        async with self.holding(chat):
            await self._open(chat)

    async def _open(self, chat: str) -> None:
        read = await self._read_mark(chat)
        await self._turn_to(chat)
        page = await self._client.history(chat, limit=HISTORY)
        self._before = page.previous
        unread = [one for one in page.messages if one.seq > read and one.sender != self.me]
        for message in page.messages:
            if unread and message is unread[0]:
                self.say(f"--- {len(unread)} unread ---")
            self.show(message)
        self._shown[chat] = max(self._shown.get(chat, 0), page.head)
        if page.head:
            self._mark_read(chat, page.head)

    async def older(self) -> None:
        """Show the messages before the oldest shown ones."""
        if self.chat is None or self._before is None:
            self.say("There are no older messages.")
            return
        page = await self._client.history(self.chat, before=self._before, limit=HISTORY)
        self._before = page.previous
        for message in page.messages:
            self.show(message)

    async def list_chats(self) -> None:
        """Show the chats; those with unread messages last, next to the prompt."""
        rows = [row for row in await self._client.chats() if row.state in {"member", "invited"}]
        for row in sorted(rows, key=lambda row: bool(row.unread)):
            self.say(row_line(row, self.me))
        if not rows:
            self.say("You have no chats yet. /to NAME starts one; /room NAME joins a room.")

    def _label(self, chat: str) -> str:
        return "" if chat == self.chat else title(chat, self.me)

    def _mark_read(self, chat: str, seq: int) -> None:
        """Mark a chat as read, while the next events are shown."""
        self.background.start(self._read(chat, seq))

    async def _read(self, chat: str, seq: int) -> None:
        try:
            await self._client.read(chat, seq)
        except ParleyError as error:
            self.say(f"! {clean(str(error))}")

    async def _turn_to(self, chat: str) -> None:
        self.chat, self._before = chat, None
        await self.watch(chat)

    async def _read_mark(self, chat: str) -> int:
        try:
            return (await self._client.rest.chat(chat)).read
        except Problem as problem:
            if problem.passes:
                raise
            return 0  # the chat does not exist yet, or reading its history says what is wrong

    async def watch(self, chat: str) -> None:
        """Follow the presence of the other user of a direct chat."""
        if ":" in chat and self._client.connected:
            async with asyncio.timeout(WATCH_SECONDS):
                for there in await self._client.watch([title(chat, self.me)]):
                    self.state.presence(there)
