"""What waits for the application, and how far it was told."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

from parley_client.errors import ParleyError
from parley_client.events import ChatReset, Event
from parley_client.incoming import Message
from parley_client.state import Cursor, State

Effect = Callable[[State], None]


class EventQueue:
    """Events in the order in which they are told; `state` says what was taken, not what waits.

    most: how many wait before `full` is true.
    """

    def __init__(self, state: State, most: int) -> None:
        self.state = state
        self._most = most
        self._waiting: deque[tuple[Event | None, Effect | None]] = deque()
        self._ending: ParleyError | None = None
        self._arrived = asyncio.Event()
        self._roomy = asyncio.Event()
        self._roomy.set()

    @property
    def full(self) -> bool:
        """Whether no more should be put in."""
        return len(self._waiting) >= self._most

    def offer(self, event: Event) -> None:
        """Add an event that matters for the moment only: it is dropped when too many wait."""
        if not self.full:
            self.put(event)

    def put(self, event: Event | None, effect: Effect | None = None) -> None:
        """Add an event; effect: what it does to the state once it is taken. None: the effect alone."""
        self._waiting.append((event, effect))
        self._arrived.set()
        if self.full:
            self._roomy.clear()

    def put_message(self, message: Message, cursor: Cursor) -> None:
        """Add a message; cursor: its own, the chat's place once it is taken."""

        def take(state: State) -> None:
            state.chats[message.chat] = cursor
            state.unchecked.add(message.chat)

        self.put(message, take)

    def put_reset(self, chat: str, *, readable: bool = True) -> None:
        """Add that a chat begins again; see ChatReset."""
        self.put(ChatReset(chat, readable), _forgetting(chat))

    def put_forgotten(self, chat: str) -> None:
        """Have the state forget a chat."""
        self.put(None, _forgetting(chat))

    def put_version(self, version: str, checked: Mapping[str, Cursor]) -> None:
        """Have the state go on from a sync, all of whose messages were put in before.

        checked: the newest messages that the sync has checked, by chat.
        """

        def go_on(state: State) -> None:
            state.version = version
            state.unchecked -= {chat for chat, at in checked.items() if state.chats.get(chat, at) == at}

        self.put(None, go_on)

    def end(self, error: ParleyError) -> None:
        """Have `take` raise this once nothing waits any more."""
        self._ending = self._ending or error
        self._arrived.set()

    async def room(self) -> None:
        """Return when more may be put in."""
        await self._roomy.wait()

    async def take(self) -> Event:
        """Return the next event, when there is one; raises what `end` was given."""
        while True:
            while self._waiting:
                event, effect = self._waiting.popleft()
                if effect:
                    effect(self.state)
                if len(self._waiting) <= self._most // 2:
                    self._roomy.set()
                if event is not None:
                    return event
            if self._ending:
                raise self._ending
            self._arrived.clear()
            await self._arrived.wait()


def _forgetting(chat: str) -> Effect:
    def forget(state: State) -> None:
        state.chats.pop(chat, None)
        state.unchecked.discard(chat)

    return forget
