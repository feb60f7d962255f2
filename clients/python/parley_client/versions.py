"""Which version of each message of one chat the application has."""

from __future__ import annotations

from parley_client.models import Message
from parley_client.state import Cursor

NO_CHANGE = "0"
UNFINISHED = "~"
"""In the cursor of a page of changes after which others follow."""


class Versions:
    """Decides which changes of a chat's messages are news; the numbers of changes rise within the chat.

    since: Cursor up to which all changes are known; None: of the whole chat none is known for sure.
    """

    def __init__(self, since: str | None = None) -> None:
        self.since: str | None = None
        self._assumed = False
        self._until = 0
        self._given: dict[int, int] = {}
        self._early: dict[int, Message] = {}
        self._hidden: set[int] = set()
        if since is not None:
            self.read(since)

    def release(self, message: Message, cursor: Cursor) -> Message | None:
        """Return the newest known version of a message that the application gets now; None if it is hidden.

        The first one begins the record: it, and all later messages, have the changes before its own time.
        """
        if self.since is None and cursor.checkable:
            self.read(str(cursor))
            self._assumed = True
        if message.seq in self._hidden:
            return None
        changed = self._early.pop(message.seq, message)
        shown = changed if changed.change > message.change else message
        if shown.change > self._until:
            self._given[message.seq] = shown.change
        return shown

    def take(self, message: Message, *, released: bool) -> bool:
        """Take a changed message; return whether the application has an older version.

        released: Whether the application has the message. Otherwise its change is kept until it gets it.
        """
        if message.seq in self._hidden:
            return False
        if not released:
            known = self._early.get(message.seq)
            if known is None or known.change < message.change:
                self._early[message.seq] = message
            return False
        return self._is_news(message.seq, message.change)

    def hide(self, seq: int, change: int, *, released: bool) -> bool:
        """Take that a message is hidden; return whether the application shows it; see take."""
        if seq in self._hidden:
            return False
        self._hidden.add(seq)
        return released and self._is_news(seq, change)

    def misses(self, change: str | None) -> bool:
        """Return whether a chat whose newest change has this cursor may have changes that are not known."""
        if change is None or change == self.since:
            return False
        return not (self._assumed and Cursor.parse(change).time <= self._until)

    def read(self, since: str) -> None:
        """Note that all changes up to a cursor are known."""
        self.since, self._assumed = since, False
        if UNFINISHED not in since:
            self._until = max(self._until, Cursor.parse(since).time)
            self._given = {seq: number for seq, number in self._given.items() if number > self._until}

    def _is_news(self, seq: int, change: int) -> bool:
        if change <= max(self._until, self._given.get(seq, 0)):
            return False
        self._given[seq] = change
        return True
