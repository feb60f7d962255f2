"""The messages of a chat in order: each once, by seq, in whatever order pushes arrive."""

from __future__ import annotations

from parley_client.incoming import Page
from parley_client.models import ChatRow, Message
from parley_client.state import Cursor
from parley_client.versions import Versions

READABLE = frozenset({"member", "left"})
MAX_AFTER_READ = 100
"""Maximum number of messages after the last read one that a new chat starts with; else unread ones only."""


class HistoryChanged(Exception):
    """The server's history of the chat is not the one that the client has read."""


class ChatLog:
    """Releases the messages of one chat in order.

    cursor: Of the newest released message; None if no message was released yet.
    head: The highest known seq.
    versions: Of its messages; changes: Cursor up to which all changes are known.
    """

    def __init__(self, chat: str, cursor: Cursor | None = None, changes: str | None = None) -> None:
        self.chat = chat
        self.cursor = cursor
        self.versions = Versions(changes)
        self.head = 0
        self._held: dict[int, Message] = {}
        self._doubted = False
        self._incomplete = 0

    @property
    def urgent(self) -> bool:
        """Whether only a pull can bring new messages, so that waiting for missing pushes is useless."""
        waits = self._incomplete > (self.cursor.seq if self.cursor else 0)
        return self._doubted or waits or (self.behind and not self._knows_history)

    @property
    def behind(self) -> bool:
        """Whether the server's log has messages after the released ones, or may have another history."""
        return self._doubted or self.cursor is None or self.head > self.cursor.seq

    @property
    def is_empty(self) -> bool:
        """Whether no message was released, and none is held."""
        return self.versions.since is None and not self._held and not (self.cursor and self.cursor.time)

    @property
    def _knows_history(self) -> bool:
        return self.cursor is not None and self.cursor.epoch != 0

    def has_released(self, seq: int) -> bool:
        """Return whether the application has a message, or does not get it any more."""
        return self.cursor is not None and seq <= self.cursor.seq

    def push(self, message: Message) -> list[Message]:
        """Take a message, in any order and any number of times; return the messages to release now."""
        if self.cursor is None or not (self.cursor.seq or self.cursor.epoch):
            self._begin_with(message)
        cursor = self.cursor
        if cursor is not None and self._contradicts(cursor, message):
            self._doubted = True
            return []
        if cursor is not None and message.seq <= cursor.seq:
            return []
        self.head = max(self.head, message.seq)
        if message.partial or (message.reply_to and message.replied is None):
            self._incomplete = max(self._incomplete, message.seq)
        else:
            self._held[message.seq] = message
        return self._next() if self._knows_history else []

    @staticmethod
    def _contradicts(cursor: Cursor, message: Message) -> bool:
        """Return whether a message is of another history than the released ones; times rise within one."""
        if message.epoch and cursor.epoch and message.epoch != cursor.epoch:
            return True
        if not cursor.time or message.seq > cursor.seq:
            return False
        return message.time > cursor.time or (message.seq == cursor.seq and message.time != cursor.time)

    def _begin_with(self, message: Message) -> None:
        """Start an empty chat with its first message, whose history is known."""
        if message.seq == 1 and message.epoch:
            self.cursor = Cursor(epoch=message.epoch)

    def postpone(self, message: Message) -> None:
        """Note that a message exists, without keeping it; it is pulled later."""
        self.head = max(self.head, message.seq)

    def sync(self, row: ChatRow, *, skip: bool = False) -> None:
        """Take a row of a sync; skip: Start a new chat after its newest message. Raises HistoryChanged."""
        there, here = Cursor.parse(row.cursor), self.cursor
        if here is None:
            if not row.seq or (skip and not self._held):
                self.cursor = there if row.seq else Cursor(epoch=row.epoch)
            self.head = max(self.head, row.seq)
        elif here.epoch and row.epoch and here.epoch != row.epoch:
            raise HistoryChanged
        elif row.state in READABLE and there != here:
            self.head = max(self.head, row.seq)
            self._doubted |= row.state == "member" and row.seq <= here.seq and bool(here.time)

    def begin_unread(self, row: ChatRow) -> None:
        """Start an unknown chat before its unread messages, if it has any."""
        if self.cursor is None and row.unread:
            begun = row.read and row.seq - row.read <= MAX_AFTER_READ
            self.cursor = Cursor(seq=row.read if begun else max(row.seq - row.unread, 0))

    def begin(self, head: int, backlog: int | None) -> None:
        """Start with the last messages before the newest, or before the first pushed message.

        head: Seq of the newest message.
        backlog: Number of messages; None for all.
        """
        newest = min(self._held, default=head + 1) - 1
        self.cursor = Cursor(seq=0 if backlog is None else max(0, newest - backlog))
        self.head = max(self.head, head)

    def page(self, page: Page) -> list[Message]:
        """Take a page pulled after the cursor; return the messages that can be released now.

        Messages missing from the page are not in the log for this reader. Raises HistoryChanged.
        """
        if self.cursor is None:
            return []
        if self.cursor.epoch and page.epoch != self.cursor.epoch:
            raise HistoryChanged
        before = self.cursor.seq
        given = [message for message in page.messages if message.seq > before]
        self.cursor = Cursor(epoch=page.epoch, seq=before, time=self.cursor.time)
        if given:
            self.cursor = self.cursor.at(given[-1])
        read = Cursor.parse(page.next or str(self.cursor))
        if read.time and read.seq > self.cursor.seq:
            self.cursor = read  # the messages up to there are hidden from the user
        moved = self.cursor.seq > before
        given += self._next()
        self._doubted = False
        ends = self.cursor.seq >= page.head or not moved
        self._forget_up_to(max(self.cursor.seq, page.head if ends else 0), exact=ends)
        return given

    def doubt(self) -> None:
        """Request a pull that checks whether the server still has the released messages."""
        self._doubted = True

    def give_up(self) -> None:
        """Give up messages past a gap that the server's log does not fill."""
        self._held.clear()
        self._doubted = False
        self._incomplete = 0
        self.head = self.cursor.seq if self.cursor else 0

    def _forget_up_to(self, seq: int, *, exact: bool) -> None:
        """Drop held messages up to a seq; exact: Also assume that no other message is missing."""
        self._held = {at: message for at, message in self._held.items() if at > seq}
        known = max([self.cursor.seq if self.cursor else 0, *self._held])
        self.head = known if exact else max(known, self.head)

    def _next(self) -> list[Message]:
        given = []
        while self.cursor is not None and (message := self._held.pop(self.cursor.seq + 1, None)):
            self.cursor = self.cursor.at(message)
            given.append(message)
        return given
