"""Sending to a chat and reading it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chalicelib.errors import ChatNotFound, MessageNotFound, NotAMember, bad_field
from chalicelib.schemas.messages import Message, Page, SendRequest, SentMessage
from chalicelib.services.content import checked_id, checked_text, fitting
from chalicelib.services.cursors import Cursor, seq_of
from chalicelib.services.names import Names
from chalicelib.store.messages import Content, Entry, MessageLog, Slice

UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
GROUP_PREFIXES = ("g-", "r-")


class Messages:
    """The rules of sending and reading; the log itself is the store's.

    caller: who calls, case-folded. chat: the chat as the caller named it.
    """

    def __init__(self, log: MessageLog, names: Names) -> None:
        self._log = log
        self._names = names

    def send(self, caller: str, chat: str, request: SendRequest) -> SentMessage:
        """Append a message to a chat as one of its members.

        Raises ChatNotFound, NotAMember, BadRequest, TextTooLong, IdConflict.
        """
        chat = self._chat_of_member(caller, chat)
        content = Content(caller, checked_text(request.text), checked_id(request.id), request.kind)
        appended = self._log.append(chat, content)
        return SentMessage(
            chat=chat,
            seq=appended.seq,
            id=content.id,
            sender=content.sender,
            kind=content.kind,
            text=content.text,
            sent_at=_rfc3339(appended.time),
            duplicate=appended.duplicate,
        )

    def page(self, caller: str, chat: str, *, after: str | None, before: str | None, limit: int) -> Page:
        """Read some messages of a chat as one of its members, in rising seq.

        after, before: cursors, at most one of them; with neither, the newest messages.
        Raises ChatNotFound, NotAMember, BadRequest, HistoryChanged.
        """
        chat = self._chat_of_member(caller, chat)
        if after is not None and before is not None:
            raise bad_field("before", "give after or before, not both")
        if after is not None:
            start = Cursor.parse(after, "after")
            part = self._log.after(chat, start.seq, limit, time=start.time, epoch=start.epoch)
            entries = fitting(part.entries, chat)
            return _page(chat, part, entries, start if start.seq <= part.head else Cursor(part.head))
        part = self._older(chat, before, limit)
        entries = fitting(part.entries[::-1], chat)[::-1]
        return _page(chat, part, entries, Cursor(part.base))

    def one(self, caller: str, chat: str, seq: str) -> Message:
        """Read one message of a chat as one of its members; raises MessageNotFound too."""
        chat, wanted = self._chat_of_member(caller, chat), seq_of(seq, "seq")
        entries = self._log.after(chat, wanted - 1, 1).entries
        if not entries or entries[0].seq != wanted:
            raise MessageNotFound(f"Chat {chat} holds no message {wanted}.")
        return _message(chat, entries[0])

    def _older(self, chat: str, before: str | None, limit: int) -> Slice:
        if before is None:
            return self._log.newest(chat, 0, limit)
        end = Cursor.parse(before, "before")
        return self._log.before(chat, end.seq, limit, time=end.time, epoch=end.epoch)

    def _chat_of_member(self, caller: str, chat: str) -> str:
        if chat.startswith(GROUP_PREFIXES) and ":" not in chat:
            raise ChatNotFound(f"There is no chat {chat}.")
        canonical, members = self._names.direct_chat(chat, "chat")
        if caller not in members:
            raise NotAMember(f"You are not a member of chat {canonical}.")
        return canonical


def _page(chat: str, part: Slice, entries: list[Entry], edge: Cursor) -> Page:
    """edge: the message that the page would follow, where it holds none."""
    oldest = entries[0].seq if entries else edge.seq + 1
    before = _cursor(part, entries[0]) if entries else Cursor(oldest)
    return Page(
        messages=[_message(chat, entry) for entry in entries],
        head=part.head,
        epoch=part.epoch,
        next=str(_cursor(part, entries[-1]) if entries else edge),
        previous=str(before) if oldest > part.base + 1 else None,
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
        sent_at=_rfc3339(entry.time),
    )


def _cursor(part: Slice, entry: Entry) -> Cursor:
    return Cursor(entry.seq, entry.time, part.epoch)


def _rfc3339(time: int) -> str:
    return (UNIX_EPOCH + timedelta(microseconds=time)).isoformat(timespec="microseconds")[:26] + "Z"
