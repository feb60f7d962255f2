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
        if since is not None:
            self.read(since)

    def release(self, message: Message, cursor: Cursor) -> Message:
        """Return the newest known version of a message that the application gets now.

        The first one begins the record: it, and all later messages, have the changes before its own time.
        """
        if self.since is None and cursor.checkable:
            self.read(str(cursor))
            self._assumed = True
        changed = self._early.pop(message.seq, message)
        shown = changed if changed.change > message.change else message
        self._note(shown)
        return shown

    def take(self, message: Message, *, released: bool) -> bool:
        """Take a changed message; return whether the application has an older version.

        released: Whether the application has the message. Otherwise its change is kept until it gets it.
        """
        if not released:
            known = self._early.get(message.seq)
            if known is None or known.change < message.change:
                self._early[message.seq] = message
            return False
        if message.change <= max(self._until, self._given.get(message.seq, 0)):
            return False
        self._note(message)
        return True

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

    def _note(self, message: Message) -> None:
        if message.change > self._until:
            self._given[message.seq] = message.change
