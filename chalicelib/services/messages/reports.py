"""Reports of messages: made by members, read and dismissed by the admins of the chat."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import UNSET

from chalicelib.errors import bad_field, message_deleted, no_message
from chalicelib.logs import LOGGER
from chalicelib.schemas.messages import Message
from chalicelib.schemas.reports import MAX_NOTE_CHARACTERS, Report, ReportPage, ReportRequest
from chalicelib.services.auth.caller import Caller
from chalicelib.services.chats.permissions import check_manager
from chalicelib.services.chats.transaction import existing_info
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.cursors import REPORT_CURSOR, ReportMark, seq_of
from chalicelib.services.values.message_limits import REPLY_BYTES, carried_bytes
from chalicelib.services.values.names import Names
from chalicelib.services.values.paging import take_fitting
from chalicelib.services.values.times import rfc3339
from chalicelib.services.views.reader_view import ReaderView
from chalicelib.store.chats.changes import ChatSnapshot
from chalicelib.store.chats.chats import Chats
from chalicelib.store.messages import reports as stored
from chalicelib.store.messages.content import SYSTEM, LogEntry
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.messages.reports import ReportBody, Reports
from chalicelib.store.redis.client import Store
from chalicelib.texts import check_lines, folded

COST = 10
"""Number of requests that a report counts as."""


class ReportService:
    """The rules of reports; chat: The chat's id as the caller gave it.

    The admins of a group or room read them. A direct chat has none: there, as everywhere, the log has a line
    `message_reported` for the operator, who finds the report in the store.
    """

    def __init__(
        self,
        store: Store,
        ids: ChatIds,
        names: Names,
        log: MessageLog,
        chats: Chats,
        reports: Reports,
        view: ReaderView,
    ) -> None:
        self._store = store
        self._ids = ids
        self._names = names
        self._log = log
        self._chats = chats
        self._reports = reports
        self._view = view

    def add(self, caller: Caller, chat: str, seq: str, request: ReportRequest) -> None:
        """Report another user's message that the caller can read; a repeated report replaces the first.

        Raises BadRequest, ChatNotFound, NotAMember, MessageNotFound, MessageDeleted, TooManyReports.
        """
        found, wanted, note = self._ids.own(caller.handle, chat).text, seq_of(seq, "seq"), _note(request.note)
        reading = self._log.after(found, wanted - 1, 1, reader=caller.handle)
        (part,) = caller.read_all(reading, cost=COST)
        _check_reportable(found, wanted, part.first(wanted), caller.handle)
        body = ReportBody(request.reason, note)
        self._store.run(self._reports.add(found, wanted, caller.handle, body))
        line = {"event": "message_reported", "chat": found, "seq": wanted}
        LOGGER.info({**line, "reporter": caller.handle, "reason": request.reason})

    def page(self, caller: Caller, chat: str, cursor: str | None, limit: int) -> ReportPage:
        """Read a page of a chat's reports, newest first, each with the message as the caller reads it.

        Raises BadRequest, ChatNotFound, NotAMember, Banned, Forbidden.
        """
        group = self._ids.group(chat)
        below = None if cursor is None else REPORT_CURSOR.decode(cursor, "cursor")
        snapshot, reports = caller.read_all(
            self._chats.snapshot(group, caller.handle), self._reports.of(group)
        )
        _check_admin(group, snapshot, caller.handle)
        waiting = [one for one in reports if below is None or _mark(one) < below]
        messages = self._messages(group, {one.seq for one in waiting[:limit]}, caller.handle)
        rows = [_shown(one, messages) for one in waiting[:limit]]
        shown = take_fitting(rows, carried_bytes, REPLY_BYTES)
        left = len(shown) < len(waiting)
        return ReportPage(shown, REPORT_CURSOR.encode(_mark(waiting[len(shown) - 1])) if left else None)

    def dismiss(self, caller: Caller, chat: str, seq: str, reporter: str) -> None:
        """Remove a report, also one that is gone; raises what `page` raises."""
        group, wanted = self._ids.group(chat), seq_of(seq, "seq")
        handle = self._names.user(reporter, "handle")
        snapshot = caller.read(self._chats.snapshot(group, caller.handle))
        _check_admin(group, snapshot, caller.handle)
        self._store.run(self._reports.dismiss(group, wanted, handle))

    def _messages(self, chat: str, seqs: Iterable[int], reader: str) -> dict[int, Message]:
        """Return those of some messages that a user can read."""
        parts = self._store.run_all(self._log.after(chat, seq - 1, 1, reader=reader) for seq in seqs)
        entries = [entry for part in parts for entry in part.entries if not entry.is_hidden]
        row = self._view.rows(chat, reader, entries)
        return {entry.seq: row(entry) for entry in entries}


def _note(note: str) -> str:
    check_lines(note, "note", "a note")
    if len(note) > MAX_NOTE_CHARACTERS:
        raise bad_field("note", f"a note has at most {MAX_NOTE_CHARACTERS} characters; this has {len(note)}")
    return note


def _check_reportable(chat: str, seq: int, entry: LogEntry | None, handle: str) -> None:
    if entry is None:
        raise no_message(chat, seq)
    if entry.is_deleted:
        raise message_deleted(chat, seq)
    content = entry.content
    if content.kind == SYSTEM:
        raise bad_field("seq", "the server wrote this message; report messages of users")
    if folded(content.sender) == handle:
        raise bad_field("seq", "this is your own message")


def _check_admin(chat: str, snapshot: ChatSnapshot, handle: str) -> None:
    existing_info(chat, snapshot)
    check_manager(chat, snapshot.records[handle])


def _mark(report: stored.Report) -> ReportMark:
    return ReportMark(report.time, report.seq, report.reporter)


def _shown(report: stored.Report, messages: dict[int, Message]) -> Report:
    return Report(
        seq=report.seq,
        reporter=report.reporter,
        reason=report.body.reason,  # type: ignore[arg-type]  # the request had it
        note=report.body.note,
        reported_at=rfc3339(report.time),
        message=messages.get(report.seq, UNSET),
    )
