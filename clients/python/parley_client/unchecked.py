"""Chats whose newest messages the server may lose without a sync noticing; the next sync checks them."""

from __future__ import annotations

from collections.abc import Iterable

from parley_client.chat_log import ChatLog
from parley_client.errors import Problem
from parley_client.outgoing import MAX_CHECKED, HeldCursor
from parley_client.state import Cursor

REFUSALS = {"bad_request", "method_not_allowed"}


class Unchecked:
    """Chats that got a message since the last sync, and what one sync checks of them.

    A message that came before a sync is covered by the sync's token: a store that loses the message does not
    know the token any more. A message that came after it is known to the client alone until the next sync.
    """

    def __init__(self, chats: Iterable[str]) -> None:
        self._chats = dict.fromkeys(chats)
        self._waiting: list[ChatLog] = []
        self._asked_logs: dict[str, ChatLog] = {}
        self.asked: dict[str, Cursor] = {}
        """The newest messages that this sync has checked, by chat."""

    @property
    def waiting(self) -> bool:
        """Whether this sync has more to check."""
        return bool(self._waiting)

    def note(self, chat: str) -> None:
        """Note that a chat got a message."""
        self._chats[chat] = None

    def forget(self, chat: str) -> None:
        """Note that the client has no messages of a chat any more."""
        self._chats.pop(chat, None)

    def begin(self, logs: dict[str, ChatLog]) -> None:
        """Start a sync, which checks the client's current messages."""
        found = (logs.get(chat) for chat in self._chats)
        self._waiting = [log for log in found if log and log.cursor and log.cursor.checkable]
        self.asked, self._asked_logs = {}, {}

    def take(self) -> tuple[HeldCursor, ...]:
        """Return what to check in the next request, as much as one request takes."""
        part, self._waiting = self._waiting[:MAX_CHECKED], self._waiting[MAX_CHECKED:]
        now = {log.chat: log.cursor for log in part if log.cursor and log.cursor.checkable}
        self.asked |= now
        self._asked_logs |= {log.chat: log for log in part}
        return tuple(HeldCursor(chat=chat, cursor=str(cursor)) for chat, cursor in now.items())

    def has_asked(self, log: ChatLog) -> bool:
        """Return whether this sync has checked the newest message of this log, not an older one."""
        return self._asked_logs.get(log.chat) is log

    def refused(self, problem: Problem) -> bool:
        """Return whether to repeat a refused sync without checks.

        Servers without checks refuse them, and so does a server whose chat names have changed. Reconnecting
        matters more than the check.
        """
        asked, self._waiting, self.asked = bool(self.asked), [], {}
        return asked and problem.code in REFUSALS

    def end(self, logs: dict[str, ChatLog]) -> dict[str, Cursor]:
        """End a sync, and return what it has checked; chats that got a message meanwhile stay."""
        self._asked_logs = {}
        for chat, cursor in self.asked.items():
            if chat not in logs or logs[chat].cursor == cursor:
                self.forget(chat)
        return self.asked
