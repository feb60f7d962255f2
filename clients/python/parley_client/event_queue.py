"""The queue of events for the application, and the state after the events that it has taken."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping

from parley_client.errors import ParleyError
from parley_client.events import ChatReset, Event
from parley_client.models import Message
from parley_client.state import Cursor, State

Effect = Callable[[State], None]


class EventQueue:
    """Events in order; `state` covers the events that were taken, not the waiting ones.

    most: Number of waiting events from which `full` is true.
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
        """Whether no more events should be added."""
        return len(self._waiting) >= self._most

    def offer(self, event: Event) -> None:
        """Add a short-lived event; it is dropped if too many wait."""
        if not self.full:
            self.put(event)

    def put(self, event: Event | None, effect: Effect | None = None) -> None:
        """Add an event, or None for its effect alone; effect: Changes the state when the event is taken."""
        self._waiting.append((event, effect))
        self._arrived.set()
        if self.full:
            self._roomy.clear()

    def put_message(self, chat: str, message: Message | None, cursor: Cursor, changes: str | None) -> None:
        """Add a message; None for one that the user does not see.

        cursor: The message's own, which becomes the chat's position in the state.
        changes: Where a chat without an earlier message starts to read changes.
        """

        def take(state: State) -> None:
            state.chats[chat] = cursor
            state.unchecked.add(chat)
            if changes is not None:
                state.changes.setdefault(chat, changes)

        self.put(message, take)

    def put_changes(self, chat: str, cursor: str) -> None:
        """Let the state continue from a change of a chat, all of whose earlier ones were added before."""

        def go_on(state: State) -> None:
            state.changes[chat] = cursor

        self.put(None, go_on)

    def put_reset(self, chat: str, *, readable: bool = True, lost: bool = True) -> None:
        """Add a ChatReset."""
        self.put(ChatReset(chat, readable, lost), _forgetting(chat))

    def put_forgotten(self, chat: str) -> None:
        """Remove a chat from the state."""
        self.put(None, _forgetting(chat))

    def put_version(self, version: str, checked: Mapping[str, Cursor]) -> None:
        """Let the state continue from a sync, all of whose messages were added before.

        checked: The newest messages that the sync has checked, by chat.
        """

        def go_on(state: State) -> None:
            state.version = version
            state.unchecked -= {chat for chat, at in checked.items() if state.chats.get(chat, at) == at}

        self.put(None, go_on)

    def end(self, error: ParleyError) -> None:
        """Make `take` raise an error when no event waits any more."""
        self._ending = self._ending or error
        self._arrived.set()

    async def room(self) -> None:
        """Return when more events may be added."""
        await self._roomy.wait()

    async def take(self) -> Event:
        """Return the next event when there is one; raises the error given to `end`."""
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
        state.changes.pop(chat, None)
        state.unchecked.discard(chat)

    return forget
