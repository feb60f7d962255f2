"""The user's chats: the messages that were passed to the application, and those that have to be pulled."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from parley_client.chat_log import READABLE, ChatLog, HistoryChanged
from parley_client.dues import Dues
from parley_client.event_queue import EventQueue
from parley_client.events import ChatMoved, InboxReset
from parley_client.incoming import Page, Sync
from parley_client.message_changes import MessageChanges
from parley_client.models import ChatRow, Message
from parley_client.rows import Rows
from parley_client.state import Cursor
from parley_client.unchecked import Unchecked
from parley_client.versions import NO_CHANGE


class Wanting(NamedTuple):
    """What the inbox calls for a chat.

    pull: When it needs a pull, and whether to pull at once instead of waiting for missing pushes.
    changes: When its changes have to be read. row: When its row has to be read.
    """

    pull: Callable[[str, bool], None]
    changes: Callable[[str], None]
    row: Callable[[str], None]


class Inbox:
    """Turns pushes, acknowledgements, syncs and pages into messages, each once and in order.

    backlog: See Settings.
    """

    def __init__(self, events: EventQueue, backlog: int | None, wanting: Wanting) -> None:
        self._events = events
        self._backlog = backlog
        self._wanting = wanting
        state = events.state
        self._logs = {
            chat: ChatLog(chat, cursor, state.changes.get(chat, NO_CHANGE))
            for chat, cursor in state.chats.items()
        }
        self.version = state.version
        self.rows = Rows()
        self._dues = Dues(events)
        self.changes = MessageChanges(events, self._logs, self.rows, self._dues, wanting.changes)
        self._unlisted: set[str] | None = None
        self.unchecked = Unchecked(state.unchecked)
        self._knows_all = self.version is not None

    def log(self, chat: str) -> ChatLog | None:
        """Return the known messages of a chat."""
        return self._logs.get(chat)

    def behind(self) -> list[str]:
        """Return the chats that need a pull."""
        return [chat for chat, log in self._logs.items() if log.behind]

    def push(self, message: Message) -> None:
        """Take a message that was pushed, or that a send stored."""
        log = self._logs.setdefault(message.chat, ChatLog(message.chat))
        if self._events.full:
            log.postpone(message)
        else:
            self._give(log, log.push(message))
        if log.behind:
            self._wanting.pull(message.chat, log.urgent)

    def begin_sync(self) -> None:
        """Start a sync, which checks the messages released since the last one; see Unchecked."""
        self.unchecked.begin(self._logs)

    def sync(self, frame: Sync) -> None:
        """Take a page of a sync."""
        self.version = frame.version
        if frame.reset:
            self._unlisted = set(self._logs)
            self.rows.clear()
            self._events.put(InboxReset())
        for row in frame.chats:
            self._take_row(row)
        for changed in frame.history_changed:
            self._lost(changed.chat, readable=True)
        for chat in frame.unreadable:
            self._lost(chat, readable=False)

    def synced(self) -> None:
        """Take the end of a sync."""
        for chat in self._unlisted or ():
            self.forget(chat)
        self._unlisted = None
        self._knows_all = True
        self._dues.synced(self.version, self.unchecked.end(self._logs))

    def moved(self, row: ChatRow) -> None:
        """Take a pushed row; the next sync repeats a dropped one."""
        if self._events.full or (shown := self.rows.pushed(row)) is None:
            return
        self._events.put(ChatMoved(shown))
        log = self._logs.get(row.chat)
        if row.state not in READABLE:
            self.forget(row.chat)
        elif log is None or log.cursor is None or row.seq >= log.cursor.seq:
            self._compare(row, urgent=False)

    def page(self, chat: str, page: Page) -> None:
        """Take messages that were pulled after the chat's cursor."""
        log = self._logs[chat]
        try:
            self._give(log, log.page(page))
        except HistoryChanged:
            self.restart(chat)
        self.pulled(chat)

    def pulled(self, chat: str) -> None:
        """Note that no more messages of a chat may come."""
        if (log := self._logs.get(chat)) is None or not log.behind:
            self._dues.pulled(chat)

    def read_again(self, chat: str, *, lost: bool = True) -> None:
        """Start a chat again, and pull it; lost: Whether the server has lost something of it."""
        self.restart(chat, lost=lost)
        self._dues.messages(chat)
        self._dues.read(chat)
        self._wanting.pull(chat, True)

    def restart(self, chat: str, *, lost: bool = True) -> None:
        """Start a chat again, because the server has another history of it."""
        self._logs[chat] = ChatLog(chat)
        self.unchecked.forget(chat)
        self._events.put_reset(chat, lost=lost)

    def forget(self, chat: str) -> None:
        """Forget a chat that the user does not read any more."""
        if self._logs.pop(chat, None):
            self._events.put_forgotten(chat)
        self.unchecked.forget(chat)
        self.pulled(chat)
        self._dues.read(chat)

    def _take_row(self, row: ChatRow) -> None:
        self.rows.sync(row)
        self._events.put(ChatMoved(row))
        (self._unlisted or set()).discard(row.chat)
        if row.state in READABLE:
            self._compare(row, urgent=True)
        else:
            self.forget(row.chat)

    def _compare(self, row: ChatRow, *, urgent: bool) -> None:
        """Compare a row with the known messages; urgent: Pull missing ones at once, and read changes."""
        log = self._logs.setdefault(row.chat, ChatLog(row.chat))
        skip = self._backlog == 0
        try:
            if skip and self._knows_all:
                log.begin_unread(row)
            is_new = log.is_empty
            log.sync(row, skip=skip)
        except HistoryChanged:
            self.restart(row.chat)
            log, is_new = self._logs[row.chat], True
        if row.state == "member":
            self.changes.compare(log, row, is_new=is_new, synced=urgent)
        if log.behind:
            self._dues.messages(row.chat)
            self._wanting.pull(row.chat, urgent or log.urgent)

    def _lost(self, chat: str, *, readable: bool) -> None:
        """Start a chat again whose checked messages the server does not have, whatever came after the check.

        A chat that has started again since is checked too: it may have started with lost messages.
        """
        if (log := self._logs.get(chat)) is None:
            return
        if not self.unchecked.has_asked(log):
            log.doubt()
        elif readable:
            self.restart(chat)
        else:
            self._events.put_reset(chat, readable=False)
            self.forget(chat)
            return
        self._dues.messages(chat)
        self._wanting.pull(chat, True)

    def _give(self, log: ChatLog, messages: Iterable[Message]) -> None:
        epoch = log.cursor.epoch if log.cursor else 0
        for message in messages:
            cursor = Cursor(epoch=epoch, seq=message.seq, time=message.time)
            shown = log.versions.release(message, cursor)
            self.unchecked.note(message.chat)
            if shown and not self.rows.message(shown, cursor):
                self._wanting.row(message.chat)
            self._events.put_message(message.chat, shown, cursor, log.versions.since)
