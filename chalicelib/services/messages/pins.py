"""Pinning messages, and reading the pinned ones."""

from __future__ import annotations

import time
from collections.abc import Callable

from chalicelib.errors import Forbidden
from chalicelib.schemas.pins import PinPage
from chalicelib.services.auth.caller import Caller
from chalicelib.services.messages.transaction import ChangedMessage, MessageTransactions
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.cursors import PIN_CURSOR
from chalicelib.services.values.message_limits import fitting
from chalicelib.services.views.reader_view import ReaderView
from chalicelib.store.chats.info import Role
from chalicelib.store.messages.changes import NewVersion
from chalicelib.store.messages.content import SYSTEM, LogEntry, with_extra
from chalicelib.store.messages.pins import Pins


class PinService:
    """Pins messages for all members: admins and owners of a group or room, and both users of a direct chat.

    chat: The chat's id as the caller gave it. clock: µs since 1970.
    """

    def __init__(
        self,
        ids: ChatIds,
        transactions: MessageTransactions,
        view: ReaderView,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._ids = ids
        self._transactions = transactions
        self._view = view
        self._clock = clock

    def pin(
        self, caller: Caller, chat: str, seq: int, *, on: bool, skip: str | None = None
    ) -> ChangedMessage:
        """Pin a message, or unpin it; idempotent.

        on: Whether to pin it. skip: Id of a connection that the change is not pushed to.
        Raises MessageNotFound, Forbidden, ChatNotFound, NotAMember, Blocked; when it pins one also
        MessageDeleted and TooManyPins.
        """

        def decide(entry: LogEntry) -> NewVersion | None:
            if entry.content.kind == SYSTEM:
                raise Forbidden("Messages of kind `system` cannot be pinned.")
            if (entry.content.extra.pinned > 0) == on:
                return None
            return NewVersion(with_extra(entry.content, pinned=self._clock() if on else 0), Role.ADMIN)

        found = self._ids.own(caller.handle, chat)
        return self._transactions.change(caller, found, seq, decide, contacts=True, skip=skip)

    def page(self, caller: Caller, chat: str, cursor: str | None, limit: int) -> PinPage:
        """Read a page of the pinned messages that the caller may read, the newest pin first.

        Raises ChatNotFound, NotAMember, BadRequest.
        """
        found = self._ids.own(caller.handle, chat).text
        below = None if cursor is None else PIN_CURSOR.decode(cursor, "cursor")
        part = caller.read(Pins.page(found, caller.handle, below, limit))
        fits = len(fitting([entry for _, entry in part.pins], found))
        shown = [entry for _, entry in part.pins[:fits] if not entry.is_deleted]
        row = self._view.rows(found, caller.handle, shown)
        more = part.more or fits < len(part.pins)
        following = PIN_CURSOR.encode(part.pins[fits - 1][0]) if more else None
        return PinPage(messages=[row(entry) for entry in shown], next=following)
