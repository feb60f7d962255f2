"""Sending messages to a chat and reading them, for /v1 and the WebSocket API."""

from __future__ import annotations

import functools
from collections.abc import Callable

from msgspec import structs

from chalicelib.errors import bad_field, no_message
from chalicelib.schemas.encoded import Encoded
from chalicelib.schemas.messages import Message, Page, SendRequest, SentMessage
from chalicelib.services.auth.caller import Caller
from chalicelib.services.messages.read import LogReader
from chalicelib.services.messages.send import MessageSender, OnStored
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.cursors import MESSAGE_CURSOR, MessageCursor, seq_of
from chalicelib.services.values.message_limits import fitting
from chalicelib.services.views.message_row import all_are_plain, plain_message
from chalicelib.services.views.reader_view import ReaderView, Row
from chalicelib.store.messages.content import LogEntry
from chalicelib.store.messages.log import LogPage, MessageLog
from chalicelib.store.redis.query import Query

Rows = list[Message] | list[Encoded[Message]]
Fit = Callable[[list[LogEntry], str, Row], Rows]
"""Returns rows for as many leading entries of a chat, by its id, as fit in a page, at least one."""


def fitting_reply(entries: list[LogEntry], chat: str, row: Row) -> Rows:
    """Return the messages that fit in the reply to a request; see message_limits.fitting."""
    return [row(entry) for entry in fitting(entries, chat)]


class Messages:
    """Sends messages and reads a chat's log.

    caller: The authenticated user.
    chat: The chat's id as the caller gave it.
    """

    def __init__(
        self, log: MessageLog, ids: ChatIds, sender: MessageSender, reader: LogReader, view: ReaderView
    ) -> None:
        self._log = log
        self._ids = ids
        self._sender = sender
        self._reader = reader
        self._view = view

    def send(
        self, caller: Caller, chat: str, request: SendRequest, *, skip: str | None = None
    ) -> SentMessage:
        """Append a message to a chat as one of its members; see `MessageSender.send`."""
        found = self._ids.own(caller.handle, chat)
        stored, duplicate = self._sender.send(caller, found, request, skip=skip)
        if not stored.is_partial:
            return SentMessage(**stored.fields, duplicate=duplicate)
        shown = self._view.one(found.text, caller.handle, stored.entry)
        return SentMessage(**structs.asdict(shown), duplicate=duplicate)

    def send_acknowledged(
        self, caller: Caller, chat: str, request: SendRequest, *, on_stored: OnStored, skip: str
    ) -> None:
        """Append a message as `send` does, and call a function before others have it."""
        found = self._ids.own(caller.handle, chat)
        self._sender.send(caller, found, request, on_stored=on_stored, skip=skip)

    def page(
        self,
        caller: Caller,
        chat: str,
        *,
        after: str | None,
        before: str | None,
        limit: int,
        fit: Fit = fitting_reply,
    ) -> Page:
        """Read messages of a chat that the caller may read, in rising seq.

        after, before: Cursors, at most one of them. Without both: the newest messages.
        fit: Makes the rows of the page.
        Raises ChatNotFound, NotAMember, BadRequest, HistoryChanged.
        """
        found = self._ids.own(caller.handle, chat)
        if after is not None and before is not None:
            raise bad_field("before", "send either `after` or `before`")
        if after is not None:
            start = MESSAGE_CURSOR.decode(after, "after")
            part, gone = self._reader.read(caller, found, self._newer(caller, found.text, start, limit))
            entries, rows = self._rows(caller, found.text, part.entries, fit)
            edge = start if start.seq <= part.head else MessageCursor(part.head)
            return _page(part, entries, rows, edge, gone)
        part, gone = self._reader.read(caller, found, self._older(caller, found.text, before, limit))
        entries, rows = self._rows(caller, found.text, part.entries[::-1], fit)
        return _page(part, entries[::-1], rows[::-1], MessageCursor(part.base), gone)

    def one(self, caller: Caller, chat: str, seq: str) -> Message:
        """Read one message of a chat; raises what `page` raises, and MessageNotFound."""
        found = self._ids.own(caller.handle, chat).text
        wanted = seq_of(seq, "seq")
        entry = caller.read(self._log.after(found, wanted - 1, 1, reader=caller.handle)).first(wanted)
        if entry is None:
            raise no_message(found, wanted)
        return self._view.one(found, caller.handle, entry)

    def shown(self, caller: Caller, chat: str, entry: LogEntry) -> Message:
        """Return an entry of a chat's log as the API shows it to the caller."""
        return self._view.one(self._ids.own(caller.handle, chat).text, caller.handle, entry)

    def _rows(
        self, caller: Caller, chat: str, entries: list[LogEntry], fit: Fit
    ) -> tuple[list[LogEntry], Rows]:
        """Return as many leading entries as fit in a page, and the rows of those that are not hidden."""
        if all_are_plain(entries):
            rows = fit(entries, chat, functools.partial(plain_message, chat))
            return entries[: len(rows)], rows
        shown = [entry for entry in entries if not entry.is_hidden]
        rows = fit(shown, chat, self._view.rows(chat, caller.handle, shown))
        if len(rows) == len(shown):
            return entries, rows
        return entries[: entries.index(shown[len(rows)])], rows

    def _newer(self, caller: Caller, chat: str, start: MessageCursor, limit: int) -> Query[LogPage]:
        reader = caller.handle
        return self._log.after(chat, start.seq, limit, reader=reader, time=start.time, epoch=start.epoch)

    def _older(self, caller: Caller, chat: str, before: str | None, limit: int) -> Query[LogPage]:
        reader = caller.handle
        if before is None:
            return self._log.newest(chat, 0, limit, reader=reader)
        end = MESSAGE_CURSOR.decode(before, "before")
        return self._log.before(chat, end.seq, limit, reader=reader, time=end.time, epoch=end.epoch)


def _page(part: LogPage, entries: list[LogEntry], rows: Rows, edge: MessageCursor, gone: list[str]) -> Page:
    """Return the page of some entries.

    rows: The entries as the page shows them. edge: The message that an empty page follows.
    gone: Handles of deleted members of the chat.
    """
    oldest = entries[0].seq if entries else edge.seq + 1
    before = _cursor(part, entries[0]) if entries else MessageCursor(oldest)
    return Page(
        messages=rows,
        base=part.base,
        head=part.head,
        epoch=part.epoch,
        next=str(_cursor(part, entries[-1]) if entries else edge),
        previous=str(before) if oldest > part.base + 1 else None,
        deleted_users=gone,
    )


def _cursor(part: LogPage, entry: LogEntry) -> MessageCursor:
    return MessageCursor(entry.seq, entry.time, part.epoch)
