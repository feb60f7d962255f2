"""Editing and deleting messages, for /v1 and the WebSocket API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from chalicelib.errors import Forbidden, MessageChanged, bad_field
from chalicelib.schemas.messages import EditRequest
from chalicelib.services.auth.caller import Caller
from chalicelib.services.messages.mentions import NOBODY, Mentioned, MentionFinder
from chalicelib.services.messages.text_filter import TextFilter
from chalicelib.services.messages.transaction import ChangedMessage, MessageTransactions
from chalicelib.services.values.chat_id import ChatIds
from chalicelib.services.values.message_limits import checked_data
from chalicelib.store.chats.info import Role
from chalicelib.store.messages.changes import NewVersion
from chalicelib.store.messages.content import SYSTEM, Content, LogEntry, tombstone, with_extra
from chalicelib.store.messages.mentions import fields_of
from chalicelib.texts import folded

MAX_DIGITS = 16


class MessageChanger:
    """Edits and deletes messages; chat: The chat's id as the caller gave it. clock: µs since 1970.

    A change takes two round trips, and those of the delivery.
    """

    def __init__(
        self,
        ids: ChatIds,
        transactions: MessageTransactions,
        texts: TextFilter,
        mentions: MentionFinder,
        clock: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._ids = ids
        self._transactions = transactions
        self._texts = texts
        self._mentions = mentions
        self._clock = clock

    def edit(
        self,
        caller: Caller,
        chat: str,
        seq: int,
        request: EditRequest,
        *,
        if_change: int | None = None,
        skip: str | None = None,
    ) -> ChangedMessage:
        """Change the text or data of the caller's own message; what equals the present ones changes nothing.

        if_change: Number of the change that the message must have; None: any. skip: Id of a connection that
        the change is not pushed to. Raises MessageNotFound, MessageDeleted, MessageChanged, Forbidden,
        BadRequest, TextTooLong, TextRefused, FilterUnavailable, ChatNotFound, NotAMember, Muted, Blocked.
        """
        found = self._ids.own(caller.handle, chat)
        if request.text is UNSET and request.data is UNSET:
            raise bad_field("text", "send `text`, `data` or both")
        text = UNSET if request.text is UNSET else self._texts.checked(caller, found.text, request.text)
        data = checked_data(request.data) if isinstance(request.data, dict) else request.data
        names = "" if text is UNSET else text
        mentioned = self._mentions.find(caller, found, names, None) if "@" in names else NOBODY

        def decide(entry: LogEntry) -> NewVersion | None:
            _check_own(caller, entry)
            if if_change is not None and if_change != entry.change:
                raise MessageChanged(
                    f"Message {seq} has changed: its change is {entry.change}. Read it again."
                )
            content = _edited(entry.content, text, data)
            if content == entry.content:
                return None
            new = NewVersion(with_extra(content, edited=self._clock()), writes=True)
            return new if text is UNSET else self._mentioning(found.text, entry, new, mentioned)

        return self._transactions.change(caller, found, seq, decide, contacts=True, skip=skip)

    def _mentioning(self, chat: str, entry: LogEntry, new: NewVersion, mentioned: Mentioned) -> NewVersion:
        """Return a new version with other mentions; the author whom a reply answers stays mentioned."""
        before = fields_of(entry.content.extra)
        left = [field for field in before if field not in mentioned.fields]
        if left and entry.content.reply_to is not None:
            author = self._mentions.author_of(chat, entry.content.reply_to)
            left = [field for field in left if field != author]
        content = with_extra(new.content, mentions=mentioned.handles, mentions_all=mentioned.all)
        added = [field for field in mentioned.fields if field not in before]
        return new._replace(content=content, mentioned=added, unmentioned=left)

    def delete(self, caller: Caller, chat: str, seq: int, *, skip: str | None = None) -> ChangedMessage:
        """Delete a message for all: one's own, or as an admin or owner any; idempotent.

        What remains is a message without text that says who deleted it, and when.
        Raises MessageNotFound, Forbidden, ChatNotFound, NotAMember.
        """
        found = self._ids.own(caller.handle, chat)

        def decide(entry: LogEntry) -> NewVersion | None:
            if entry.is_deleted:
                return None
            if entry.content.kind == SYSTEM:
                raise Forbidden("Messages of kind `system` cannot be deleted.")
            is_own = _is_own(caller, entry)
            if not is_own and found.members is not None:
                raise Forbidden("In a direct chat you can delete only your own messages for all.")
            remains = tombstone(entry.content, self._clock(), caller.handle)
            return NewVersion(remains, Role.MEMBER if is_own else Role.ADMIN)

        return self._transactions.change(caller, found, seq, decide, skip=skip)


def change_in(if_match: str | None) -> int | None:
    """Return the change that an If-Match header names; None: any. Raises BadRequest."""
    if if_match is None or if_match.strip() == "*":
        return None
    number = if_match.strip().strip('"')
    if not (number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS):
        raise bad_field("If-Match", "it must be the ETag of the message, the number of its last change, or *")
    return int(number)


def _is_own(caller: Caller, entry: LogEntry) -> bool:
    return folded(entry.content.sender) == caller.handle


def _check_own(caller: Caller, entry: LogEntry) -> None:
    if entry.content.kind == SYSTEM:
        raise Forbidden("Messages of kind `system` cannot be changed.")
    if not _is_own(caller, entry):
        raise Forbidden("You can edit only your own messages.")
    if entry.content.extra.forwarded is not None:
        raise Forbidden("A forwarded message cannot be edited.")


def _edited(content: Content, text: str | UnsetType, data: dict[str, Any] | UnsetType | None) -> Content:
    if text is not UNSET:
        content = replace(content, text=text)
    return content if data is UNSET else with_extra(content, data=data)
