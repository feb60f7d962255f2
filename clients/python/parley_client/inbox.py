"""The user's chats: the messages that were passed to the application, and those that have to be pulled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from parley_client.chat_log import READABLE, ChatLog, HistoryChanged
from parley_client.event_queue import EventQueue
from parley_client.events import ChatMoved, InboxReset
from parley_client.incoming import Page, Sync
from parley_client.models import ChatRow, Message
from parley_client.state import Cursor
from parley_client.unchecked import Unchecked


class Inbox:
    """Turns pushes, acknowledgements, syncs and pages into messages, each once and in order.

    backlog: See Settings.
    wanting: Called with a chat that needs a pull, and whether to pull at once instead of waiting for missing
        pushes.
    """

    def __init__(self, events: EventQueue, backlog: int | None, wanting: Callable[[str, bool], None]) -> None:
        self._events = events
        self._backlog = backlog
        self._wanting = wanting
        self._logs = {chat: ChatLog(chat, cursor) for chat, cursor in events.state.chats.items()}
        self.version = events.state.version
        self._owed: set[str] = set()
        self._unlisted: set[str] | None = None
        self._due: tuple[str, Mapping[str, Cursor]] | None = None
        self.unchecked = Unchecked(events.state.unchecked)
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
            self._wanting(message.chat, log.urgent)

    def begin_sync(self) -> None:
        """Start a sync, which checks the messages released since the last one; see Unchecked."""
        self.unchecked.begin(self._logs)

    def sync(self, frame: Sync) -> None:
        """Take a page of a sync."""
        self.version = frame.version
        if frame.reset:
            self._unlisted = set(self._logs)
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
        checked = self.unchecked.end(self._logs)
        self._due = None if self.version is None else (self.version, checked)
        self._settle()

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
            self._owed.discard(chat)
            self._settle()

    def restart(self, chat: str) -> None:
        """Start a chat again, because the server has another history of it."""
        self._logs[chat] = ChatLog(chat)
        self.unchecked.forget(chat)
        self._events.put_reset(chat)

    def forget(self, chat: str) -> None:
        """Forget a chat that the user does not read any more."""
        if self._logs.pop(chat, None):
            self._events.put_forgotten(chat)
        self.unchecked.forget(chat)
        self.pulled(chat)

    def _take_row(self, row: ChatRow) -> None:
        self._events.put(ChatMoved(row))
        (self._unlisted or set()).discard(row.chat)
        if row.state not in READABLE:
            self.forget(row.chat)
            return
        log = self._logs.setdefault(row.chat, ChatLog(row.chat))
        skip = self._backlog == 0
        try:
            if skip and self._knows_all:
                log.begin_unread(row)
            log.sync(row, skip=skip)
        except HistoryChanged:
            self.restart(row.chat)
            log = self._logs[row.chat]
        if log.behind:
            self._owed.add(row.chat)
            self._wanting(row.chat, True)

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
        self._owed.add(chat)
        self._wanting(chat, True)

    def _give(self, log: ChatLog, messages: Iterable[Message]) -> None:
        epoch = log.cursor.epoch if log.cursor else 0
        for message in messages:
            self.unchecked.note(message.chat)
            self._events.put_message(message, Cursor(epoch=epoch, seq=message.seq, time=message.time))

    def _settle(self) -> None:
        """Continue a stored state from the last sync, once all its messages are pulled."""
        if self._due is not None and not self._owed:
            self._events.put_version(*self._due)
            self._due = None
