"""Sending to a chat and reading it."""

from __future__ import annotations

from chalicelib.errors import MessageNotFound, bad_field
from chalicelib.schemas.messages import Message, Page, SendRequest, SentMessage
from chalicelib.services.callers import Caller
from chalicelib.services.content import checked_id, checked_text, fitting
from chalicelib.services.cursors import Cursor, seq_of
from chalicelib.services.direct import DirectChats
from chalicelib.services.times import rfc3339
from chalicelib.store.client import Query
from chalicelib.store.messages import Content, Entry, MessageLog, Slice


class Messages:
    """The rules of sending and reading; the log itself is the store's.

    caller: who calls. chat: the chat as the caller named it.
    """

    def __init__(self, log: MessageLog, direct: DirectChats) -> None:
        self._log = log
        self._direct = direct

    def send(self, caller: Caller, chat: str, request: SendRequest) -> SentMessage:
        """Append a message to a chat as one of its members.

        Raises ChatNotFound, NotAMember, UserNotFound, Blocked, BadRequest, TextTooLong, IdConflict.
        """
        chat, other = self._direct.of_member(caller, chat)
        content = Content(caller.handle, checked_text(request.text), checked_id(request.id), request.kind)
        self._direct.admit_writer(caller, other)
        appended = self._log.append(chat, content)
        return SentMessage(
            chat=chat,
            seq=appended.seq,
            id=content.id,
            sender=content.sender,
            kind=content.kind,
            text=content.text,
            sent_at=rfc3339(appended.time),
            duplicate=appended.duplicate,
        )

    def page(self, caller: Caller, chat: str, *, after: str | None, before: str | None, limit: int) -> Page:
        """Read some messages of a chat as one of its members, in rising seq.

        after, before: cursors, at most one of them; with neither, the newest messages.
        Raises ChatNotFound, NotAMember, BadRequest, HistoryChanged.
        """
        chat, other = self._direct.of_member(caller, chat)
        if after is not None and before is not None:
            raise bad_field("before", "give after or before, not both")
        if after is not None:
            start = Cursor.parse(after, "after")
            query = self._log.after(chat, start.seq, limit, time=start.time, epoch=start.epoch)
            part, gone = self._direct.read(caller, other, query)
            entries = fitting(part.entries, chat)
            return _page(chat, part, entries, start if start.seq <= part.head else Cursor(part.head), gone)
        part, gone = self._direct.read(caller, other, self._older(chat, before, limit))
        entries = fitting(part.entries[::-1], chat)[::-1]
        return _page(chat, part, entries, Cursor(part.base), gone)

    def one(self, caller: Caller, chat: str, seq: str) -> Message:
        """Read one message of a chat as one of its members; raises MessageNotFound too."""
        chat, _ = self._direct.of_member(caller, chat)
        wanted = seq_of(seq, "seq")
        entries = caller.read(self._log.after(chat, wanted - 1, 1)).entries
        if not entries or entries[0].seq != wanted:
            raise MessageNotFound(f"Chat {chat} holds no message {wanted}.")
        return _message(chat, entries[0])

    def _older(self, chat: str, before: str | None, limit: int) -> Query[Slice]:
        if before is None:
            return self._log.newest(chat, 0, limit)
        end = Cursor.parse(before, "before")
        return self._log.before(chat, end.seq, limit, time=end.time, epoch=end.epoch)


def _page(chat: str, part: Slice, entries: list[Entry], edge: Cursor, gone: list[str]) -> Page:
    """edge: the message that the page would follow, where it holds none. gone: members who are deleted."""
    oldest = entries[0].seq if entries else edge.seq + 1
    before = _cursor(part, entries[0]) if entries else Cursor(oldest)
    return Page(
        messages=[_message(chat, entry) for entry in entries],
        head=part.head,
        epoch=part.epoch,
        next=str(_cursor(part, entries[-1]) if entries else edge),
        previous=str(before) if oldest > part.base + 1 else None,
        deleted_users=gone,
    )


def _message(chat: str, entry: Entry) -> Message:
    content = entry.content
    return Message(
        chat=chat,
        seq=entry.seq,
        id=content.id,
        sender=content.sender.casefold(),
        kind=content.kind,
        text=content.text,
        sent_at=rfc3339(entry.time),
    )


def _cursor(part: Slice, entry: Entry) -> Cursor:
    return Cursor(entry.seq, entry.time, part.epoch)
