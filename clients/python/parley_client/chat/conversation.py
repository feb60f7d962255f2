"""What a chat in the terminal shows of what happens; the screen is somebody else's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from parley_client.async_client import AsyncClient
from parley_client.chat.lines import clean, line_of, row_line, title
from parley_client.chat.screen import Screen
from parley_client.chat.status import Status
from parley_client.errors import ParleyError, Problem
from parley_client.events import ChatReset, Connected, Disconnected, Event
from parley_client.incoming import Failed, Message, Presence, RoomNotice, Typing
from parley_client.names import direct_chat, folded

WATCH_SECONDS = 5.0
HISTORY = 20


class Conversation:
    """Keeps the chat on the screen, and tells of the others.

    chat: the one on the screen. first: done at the start, instead of listing the chats. entering: the room to
    enter once there is a connection.
    """

    def __init__(self, client: AsyncClient, name: str) -> None:
        self._client = client
        self.me = folded(name)
        self.chat: str | None = None
        self.first: Callable[[], Awaitable[None]] | None = None
        self.begun = asyncio.Event()
        self.screen: Screen | None = None
        self.entering: str | None = None
        self._status = Status()
        self._here: dict[tuple[str, str], bool] = {}
        self._shown: dict[str, int] = {}
        self._held: dict[str, list[Message]] = {}
        self._moved = asyncio.Event()
        self._before: str | None = None

    def prompt(self) -> str:
        """Return the prompt."""
        return f"{clean(title(self.chat, self.me))}> " if self.chat else "> "

    def status(self) -> str:
        """Return the line at the bottom."""
        return self._status.line(self.chat, self.me)

    def say(self, text: str) -> None:
        """Show a text."""
        if self.screen:
            self.screen.say(text)

    # --- what happens --------------------------------------------------------------------------------------

    async def listen(self) -> None:
        """Show events until the client ends; raises what it ended with."""
        async for event in self._client:
            try:
                await self._take(event)
            except (ParleyError, TimeoutError) as error:
                self.say(f"! {clean(str(error) or 'The server did not answer in time.')}")
            if self.screen:
                self.screen.changed()

    async def _take(self, event: Event) -> None:
        match event:
            case Message():
                await self._message(event)
            case ChatReset():
                await self._reset(event)
            case Connected():
                await self._connected(event)
            case Disconnected():
                await self._disconnected(event)
            case Typing():
                self._status.typing(event)
            case Presence():
                self._status.presence(event)
            case _:
                self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case RoomNotice() if event.notice and self._is_news(event):
                self.say(f"* {clean(event.room)}: {clean(event.user or '')}: {clean(event.notice)}")
            case Failed():
                self.say(f"! {clean(event.detail)}")
            case _:
                pass

    async def _connected(self, event: Connected) -> None:
        was_away, self.me = self._status.lost, event.user
        self._status.connected()
        if not self.begun.is_set():
            await self._begin()
            return
        if was_away:
            self.say("* Connected.")
        if self.entering:
            room, self.entering = self.entering, None
            await self._client.join(room)
        if self.chat:
            await self._watch(self.chat)

    async def _disconnected(self, event: Disconnected) -> None:
        if not self._status.lost:
            self.say(f"* No connection: {clean(event.reason)} Trying again; until then by plain requests.")
        self._status.disconnected(event)
        if not self.begun.is_set():
            await self._begin()

    async def _begin(self) -> None:
        self.say(f"You are {clean(self.me)}. /help says what there is; Ctrl-D ends.")
        try:
            if self.first:
                await self.first()
            else:
                await self.list_chats()
        finally:
            self.begun.set()

    async def _message(self, message: Message) -> None:
        self._status.wrote(message.chat, message.sender)
        if message.chat in self._held:
            self._held[message.chat].append(message)
            return
        is_news = self._is_news(message)
        if message.seq <= self._shown.get(message.chat, 0):
            return
        self._shown[message.chat] = message.seq
        self._moved.set()
        if not is_news:
            return
        if self.chat is None and message.sender != self.me and message.kind != "system":
            self.say(f"* {clean(message.sender)} writes; what you type goes there now.")
            await self._turn_to(message.chat)
        here = message.chat == self.chat
        self.say(line_of(message, self.me, "" if here else title(message.chat, self.me)))
        if here and message.sender != self.me:
            await self._client.read(message.chat, message.seq)

    async def _reset(self, event: ChatReset) -> None:
        self._shown.pop(event.chat, None)
        name, here = clean(title(event.chat, self.me)), event.chat == self.chat
        if not event.readable:
            self.say(f"* The server has no chat {name} any more, or you may not read it.")
        elif not here:
            self.say(f"* Messages were lost by the server: {name}.")
        else:
            self.say(f"* Messages were lost by the server: {name}. It has these:")
            await self.open(event.chat)

    def _is_news(self, event: Message | RoomNotice) -> bool:
        """Return whether this is not told yet: who joins a room also enters it, in either order."""
        user, here = _coming(event)
        if user is None or here is None:
            return True
        was = self._here.get((event.chat, user))
        self._here[event.chat, user] = here
        return was is not here

    async def until_shown(self, chat: str, seq: int) -> None:
        """Return when a message, or a later one, was shown."""
        while self._shown.get(chat, 0) < seq:
            self._moved.clear()
            await self._moved.wait()

    # --- what the user wants -------------------------------------------------------------------------------

    def direct(self, other: str) -> str:
        """Return the chat with another user."""
        return direct_chat(self.me, other)

    @asynccontextmanager
    async def holding(self, chat: str) -> AsyncIterator[None]:
        """Keep a chat's incoming messages until the block ends, then show those that `open` has not."""
        if chat in self._held:
            yield
            return
        held = self._held[chat] = []
        try:
            yield
        finally:
            del self._held[chat]
            for message in held:
                await self._message(message)

    async def open(self, chat: str) -> None:
        """Put a chat on the screen: its newest messages, with a line where the unread ones begin."""
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
            self.say(line_of(message, self.me))
        self._shown[chat] = max(self._shown.get(chat, 0), page.head)
        if page.head:
            await self._client.read(chat, page.head)

    async def older(self) -> None:
        """Show what comes before the messages that were shown last."""
        if self.chat is None or self._before is None:
            self.say("There is nothing older.")
            return
        page = await self._client.history(self.chat, before=self._before, limit=HISTORY)
        self._before = page.previous
        for message in page.messages:
            self.say(line_of(message, self.me))

    async def list_chats(self) -> None:
        """Show the chats, those with unread messages last, next to the prompt."""
        rows = [row for row in await self._client.chats() if row.state in {"member", "invited"}]
        for row in sorted(rows, key=lambda row: bool(row.unread)):
            self.say(row_line(row, self.me))
        if not rows:
            self.say("You have no chats yet. /to NAME begins one; /room NAME joins a room.")

    async def _turn_to(self, chat: str) -> None:
        self.chat, self._before = chat, None
        await self._watch(chat)

    async def _read_mark(self, chat: str) -> int:
        try:
            return (await self._client.rest.chat(chat)).read
        except Problem as problem:
            if problem.passes:
                raise
            return 0  # the chat is not there yet, or its history says why it cannot be read

    async def _watch(self, chat: str) -> None:
        if ":" in chat and self._client.connected:
            async with asyncio.timeout(WATCH_SECONDS):
                for there in await self._client.watch([title(chat, self.me)]):
                    self._status.presence(there)


def _coming(event: Message | RoomNotice) -> tuple[str | None, bool | None]:
    """Return who came (True) or went (False); None: nobody did."""
    if isinstance(event, RoomNotice):
        return event.user, {"entered": True, "gone": False}.get(event.event)
    kind = event.event.get("type") if event.event else None
    return event.sender, {"joined": True, "left": False}.get(str(kind))
