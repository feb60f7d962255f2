"""Showing the client's events in the terminal."""

from __future__ import annotations

from parley_client.async_client import AsyncClient
from parley_client.chat.conversation import Conversation
from parley_client.chat.lines import clean, title
from parley_client.errors import ParleyError
from parley_client.events import (
    ChatMoved,
    ChatReset,
    Connected,
    Disconnected,
    Event,
    MessageChanged,
    MessageHidden,
)
from parley_client.incoming import Failed, RoomNotice, Typing
from parley_client.models import Message, Presence


class Listener:
    """Takes the client's events and shows them in a conversation."""

    def __init__(self, client: AsyncClient, conversation: Conversation) -> None:
        self._client = client
        self._conversation = conversation
        self._state = conversation.state

    async def listen(self) -> None:
        """Show events until the client ends; raises its last error."""
        async for event in self._client:
            try:
                await self._take(event)
            except (ParleyError, TimeoutError) as error:
                self._conversation.say(f"! {clean(str(error) or 'The server did not respond in time.')}")
            if self._conversation.screen:
                self._conversation.screen.changed()

    async def _take(self, event: Event) -> None:
        match event:
            case Message():
                await self._conversation.receive(event)
            case MessageChanged():
                self._conversation.change(event.message)
            case ChatReset():
                await self._reset(event)
            case Connected():
                await self._connected(event)
            case Disconnected():
                await self._disconnected(event)
            case Typing():
                self._state.typing(event)
            case Presence():
                self._state.presence(event)
            case _:
                self._note(event)

    def _note(self, event: Event) -> None:
        match event:
            case RoomNotice() if event.notice and self._conversation.arrivals.is_news(event):
                self._conversation.say(
                    f"* {clean(event.room)}: {clean(event.user or '')}: {clean(event.notice)}"
                )
            case MessageHidden():
                self._conversation.hide(event.chat, event.seq)
            case ChatMoved():
                self._conversation.move(event.row)
            case Failed():
                self._conversation.say(f"! {clean(event.detail)}")
            case _:
                pass

    async def _connected(self, event: Connected) -> None:
        was_away, self._conversation.me = self._state.lost, event.user
        self._state.connected()
        if not self._conversation.begun.is_set():
            await self._begin()
            return
        if was_away:
            self._conversation.say("* Connected.")
        if self._conversation.entering:
            room, self._conversation.entering = self._conversation.entering, None
            await self._client.join(room)
        if self._conversation.chat:
            await self._conversation.watch(self._conversation.chat)

    async def _disconnected(self, event: Disconnected) -> None:
        if not self._state.lost:
            self._conversation.say(
                f"* No connection: {clean(event.reason)} Reconnecting; meanwhile the chat uses plain HTTP."
            )
        self._state.disconnected(event)
        if not self._conversation.begun.is_set():
            await self._begin()

    async def _begin(self) -> None:
        self._conversation.say(
            f"You are {clean(self._conversation.me)}. /help lists the commands; Ctrl-D ends the chat."
        )
        try:
            if self._conversation.first:
                await self._conversation.first()
            else:
                await self._conversation.list_chats()
        finally:
            self._conversation.begun.set()

    async def _reset(self, event: ChatReset) -> None:
        self._conversation.forget(event.chat)
        name, here = clean(title(event.chat, self._conversation.me)), event.chat == self._conversation.chat
        if not event.readable:
            self._conversation.say(f"* Chat {name} no longer exists, or you cannot read it.")
            return
        happened = (
            f"The server has lost messages of {name}." if event.lost else f"Messages of {name} changed."
        )
        self._conversation.say(f"* {happened} {name}." + (" It has these now:" if here else ""))
        if here:
            await self._conversation.open(event.chat)
