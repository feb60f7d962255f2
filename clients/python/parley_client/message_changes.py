"""Passing changes of messages to the application, each once."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from parley_client.chat_log import ChatLog
from parley_client.dues import Dues
from parley_client.event_queue import EventQueue
from parley_client.events import MemberChanged, MessageChanged, MessageHidden
from parley_client.models import ChatRow, Message
from parley_client.responses import Changed, Changes
from parley_client.rows import Rows


class MessageChanges:
    """Takes changes in frames, and those that are read after a sync.

    A frame does not say whether earlier ones were lost. So the position in the changes of a chat moves only
    when they are read.

    logs: The known messages, by chat. wanting: Called with a chat whose changes have to be read.
    """

    def __init__(
        self,
        events: EventQueue,
        logs: Mapping[str, ChatLog],
        rows: Rows,
        dues: Dues,
        wanting: Callable[[str], None],
    ) -> None:
        self._events = events
        self._logs = logs
        self._rows = rows
        self._dues = dues
        self._wanting = wanting

    def take(self, message: Message) -> None:
        """Take a message that has changed; the next sync finds a change that is dropped here."""
        if not self._events.full:
            self._change(message)

    def hide(self, chat: str, seq: int, change: int) -> None:
        """Take that the user has deleted a message for themselves; see take."""
        if not self._events.full:
            self._hide(chat, seq, change)

    def compare(self, log: ChatLog, row: ChatRow, *, is_new: bool, synced: bool) -> None:
        """Compare a row with the known changes.

        is_new: Whether the application has no message of the chat. synced: Whether the row is of a sync:
        other rows may come before the frames of the changes that they name.
        """
        if is_new and row.change:
            log.versions.read(row.change)
            self._events.put_changes(row.chat, row.change)
        elif synced and log.versions.misses(row.change):
            self._dues.changes(row.chat)
            self._wanting(row.chat)

    def are_pending(self, chat: str) -> bool:
        """Return whether changes of a chat have to be read."""
        return self._dues.has_changes(chat)

    def page(self, chat: str, page: Changes) -> None:
        """Take changes that were read after the known ones."""
        for one in page.changes:
            self._take_one(chat, one)
        self._logs[chat].versions.read(page.next)
        self._events.put_changes(chat, page.next)
        if not page.more:
            self._dues.read(chat)

    def give_up(self, chat: str) -> None:
        """Note that no more changes of a chat can be read."""
        self._dues.read(chat)

    def _take_one(self, chat: str, one: Changed) -> None:
        if one.message is not None:
            self._change(one.message)
        elif one.hidden:
            self._hide(chat, one.seq, one.change)
        elif one.user is not None:
            self._events.put(MemberChanged(chat, one.user, one.role, one.muted_until))

    def _change(self, message: Message) -> None:
        log = self._logs.get(message.chat)
        if log and log.versions.take(message, released=log.has_released(message.seq)):
            self._rows.changed(message)
            self._events.put(MessageChanged(message.chat, message.seq, message.change, message))

    def _hide(self, chat: str, seq: int, change: int) -> None:
        log = self._logs.get(chat)
        if log and log.versions.hide(seq, change, released=log.has_released(seq)):
            self._rows.hidden(chat, seq)
            self._events.put(MessageHidden(chat, seq, change))
