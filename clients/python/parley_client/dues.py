"""What has to be read before a stored state may continue from the last sync."""

from __future__ import annotations

from collections.abc import Mapping

from parley_client.event_queue import EventQueue
from parley_client.state import Cursor


class Dues:
    """Chats whose messages or changes the last sync made the client read."""

    def __init__(self, events: EventQueue) -> None:
        self._events = events
        self._messages: set[str] = set()
        self._changes: set[str] = set()
        self._sync: tuple[str, Mapping[str, Cursor]] | None = None

    def messages(self, chat: str) -> None:
        """Note that messages of a chat have to be pulled."""
        self._messages.add(chat)

    def changes(self, chat: str) -> None:
        """Note that changes of a chat have to be read."""
        self._changes.add(chat)

    def has_changes(self, chat: str) -> bool:
        """Return whether changes of a chat have to be read."""
        return chat in self._changes

    def pulled(self, chat: str) -> None:
        """Note that the messages of a chat were pulled, or that there are no more."""
        self._messages.discard(chat)
        self._settle()

    def read(self, chat: str) -> None:
        """Note that the changes of a chat were read, or cannot be read."""
        self._changes.discard(chat)
        self._settle()

    def synced(self, version: str | None, checked: Mapping[str, Cursor]) -> None:
        """Take the end of a sync; see EventQueue.put_version."""
        self._sync = None if version is None else (version, checked)
        self._settle()

    def _settle(self) -> None:
        if self._sync is not None and not self._messages and not self._changes:
            self._events.put_version(*self._sync)
            self._sync = None
