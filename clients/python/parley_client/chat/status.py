"""The status line of the chat: who is online, who is typing, and whether there is a connection."""

from __future__ import annotations

import time

from parley_client.chat.lines import clean, time_of, title
from parley_client.events import Disconnected
from parley_client.incoming import Typing
from parley_client.models import Presence

TYPING_SECONDS = 6.0


class Status:
    """The state around a chat; lost: Whether the connection is known to be lost."""

    def __init__(self) -> None:
        self.lost = False
        self._trouble = "connecting…"
        self._typing: dict[tuple[str, str], float] = {}
        self._presence: dict[str, Presence] = {}

    def line(self, chat: str | None, me: str) -> str:
        """Return the status line for a chat, or for no chat on the screen (None)."""
        return " · ".join(
            part for part in (me, self._trouble or self._there(chat, me), self._who_types(chat)) if part
        )

    def typing(self, event: Typing) -> None:
        """Take a typing event."""
        self._typing[event.chat, event.user] = time.monotonic() + TYPING_SECONDS * event.on

    def wrote(self, chat: str, user: str) -> None:
        """Take that a user has sent a message, and so has stopped typing."""
        self._typing.pop((chat, user), None)

    def presence(self, event: Presence) -> None:
        """Take a user's presence."""
        self._presence[event.user] = event

    def connected(self) -> None:
        """Take that there is a connection."""
        self.lost, self._trouble = False, ""

    def disconnected(self, event: Disconnected) -> None:
        """Take that there is no connection."""
        self.lost = True
        self._trouble = f"no connection, next try in {event.retry_in:.0f} s"

    def _there(self, chat: str | None, me: str) -> str:
        if chat is None:
            return "/to NAME or /room NAME; /help"
        shown = self._presence.get(title(chat, me))
        if shown is None:
            return "connected"
        if shown.online:
            return f"{clean(shown.user)} is online"
        seen = f", last seen {time_of(shown.last_seen_at)}" if shown.last_seen_at else ""
        return f"{clean(shown.user)} is not online{seen}"

    def _who_types(self, chat: str | None) -> str:
        now = time.monotonic()
        users = [user for (where, user), end in self._typing.items() if where == chat and end > now]
        if not users:
            return ""
        return f"{clean(', '.join(users))} {'is' if len(users) == 1 else 'are'} typing…"
