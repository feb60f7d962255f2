"""Which chats have messages that the server may lose without a sync that tells: the next one checks them."""

from __future__ import annotations

from collections.abc import Iterable

from parley_client.chat_log import ChatLog
from parley_client.errors import Problem
from parley_client.outgoing import MOST_CHECKED, HeldCursor
from parley_client.state import Cursor

REFUSALS = {"bad_request", "method_not_allowed"}


class Unchecked:
    """Chats that got a message since the last sync, and what one sync checks of them.

    A message that came before a sync is told by that sync, so that a store which loses it does not know the
    sync's token any more. One that came after it is known to the client alone, until the next sync.
    """

    def __init__(self, chats: Iterable[str]) -> None:
        self._chats = dict.fromkeys(chats)
        self._waiting: list[ChatLog] = []
        self._asked_logs: dict[str, ChatLog] = {}
        self.asked: dict[str, Cursor] = {}
        """What this sync has checked so far, by chat."""

    @property
    def waiting(self) -> bool:
        """Whether this sync has more to check."""
        return bool(self._waiting)

    def note(self, chat: str) -> None:
        """Note that a chat got a message."""
        self._chats[chat] = None

    def forget(self, chat: str) -> None:
        """Note that nothing is held of a chat any more."""
        self._chats.pop(chat, None)

    def begin(self, logs: dict[str, ChatLog]) -> None:
        """Begin a sync: it checks what the client holds by now."""
        found = (logs.get(chat) for chat in self._chats)
        self._waiting = [log for log in found if log and log.cursor and log.cursor.checkable]
        self.asked, self._asked_logs = {}, {}

    def take(self) -> tuple[HeldCursor, ...]:
        """Return what to check with the next call, as much as one takes."""
        part, self._waiting = self._waiting[:MOST_CHECKED], self._waiting[MOST_CHECKED:]
        now = {log.chat: log.cursor for log in part if log.cursor and log.cursor.checkable}
        self.asked |= now
        self._asked_logs |= {log.chat: log for log in part}
        return tuple(HeldCursor(chat=chat, cursor=str(cursor)) for chat, cursor in now.items())

    def has_asked(self, log: ChatLog) -> bool:
        """Return whether it was this log whose message this sync has checked, and not a later one."""
        return self._asked_logs.get(log.chat) is log

    def refused(self, problem: Problem) -> bool:
        """Return whether a sync that was refused is to be tried again, checking nothing.

        A server of before there were checks refuses them, and so does one whose names of chats have changed:
        a client that comes back is worth more than what it would check.
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
