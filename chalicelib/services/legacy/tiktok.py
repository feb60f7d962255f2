"""TikTok-IM's send and pull: chats of two, read by position."""

from __future__ import annotations

from chalicelib.errors import Forbidden, bad_field
from chalicelib.schemas.legacy.tiktok import TikTokMessage, TikTokPage, TikTokPull, TikTokSend
from chalicelib.schemas.messages import MAX_PAGE, SendRequest
from chalicelib.services.auth.caller import Caller
from chalicelib.services.messages.read import LogReader
from chalicelib.services.messages.send import MessageSender
from chalicelib.services.values.chat_id import ChatId, ChatIds
from chalicelib.services.values.message_limits import fitting
from chalicelib.services.values.names import Names
from chalicelib.store.messages.content import HIDDEN, LogEntry
from chalicelib.store.messages.log import MessageLog
from chalicelib.texts import folded

DEFAULT_LIMIT = 10
DELETED_USER = "deleted user"
"""No handle: it has a blank in it."""


class TikTokMessages:
    """Sends to chats of two and reads them, for TikTok-IM's paths."""

    def __init__(
        self, log: MessageLog, names: Names, ids: ChatIds, sender: MessageSender, reader: LogReader
    ) -> None:
        self._log = log
        self._names = names
        self._ids = ids
        self._sender = sender
        self._reader = reader

    def send(self, caller: Caller, request: TikTokSend) -> TikTokMessage:
        """Append a message to a chat of two as the caller.

        Raises BadRequest, Forbidden, UserNotFound, Blocked, TextTooLong, IdConflict.
        """
        chat = _chat_of(request)
        canonical, members = self._names.direct_chat(chat, "chat")
        sender = folded(request.sender)
        if sender not in members:
            raise bad_field("sender", "the sender is not one of the chat's two names")
        if sender != caller.handle:
            raise Forbidden(f"You are {caller.handle}, and cannot send as another user.")
        message = SendRequest(request.text, request.id)
        found = ChatId(canonical, "direct", members)
        sent = self._sender.send(caller, found, message, sender=request.sender)
        return _shown(chat, sent.stored.entry, [])

    def members(self, request: TikTokPull) -> tuple[str, str]:
        """Return the handles of the two members of the requested chat; raises BadRequest."""
        return self._names.direct_chat(request.chat, "chat")[1]

    def pull(self, caller: Caller, request: TikTokPull) -> TikTokPage:
        """Read a chat of two by position in send order, or with reverse from the newest.

        What a deleted user sent is shown as sent by DELETED_USER. Raises BadRequest, NotAMember.
        """
        chat, reverse = request.chat, bool(request.reverse)
        found = self._ids.own(caller.handle, chat)
        asking = self._log.newest if reverse else self._log.after
        limit = min(request.limit or DEFAULT_LIMIT, MAX_PAGE)
        query = asking(found.text, request.cursor or 0, limit, reader=caller.handle)
        part, gone = self._reader.read(caller, found, query)
        entries = fitting(part.entries[::-1] if reverse else part.entries, chat)
        last = entries[-1].seq if entries else 0
        has_more = bool(entries) and (last > part.base + 1 if reverse else last < part.head)
        following = part.head - last + 1 if reverse else last
        messages = [_shown(chat, entry, gone) for entry in entries if entry.content is not HIDDEN]
        return TikTokPage(messages, has_more, following if has_more else None)


def _shown(chat: str, entry: LogEntry, gone: list[str]) -> TikTokMessage:
    content = entry.content
    name = DELETED_USER if gone and folded(content.sender) in gone else content.sender
    return TikTokMessage(chat, content.text, name, entry.time // 1_000_000, content.extra.deleted > 0)


def _chat_of(request: TikTokSend) -> str:
    if request.chat is not None:
        return request.chat
    if request.receiver is None:
        raise bad_field("chat", "it is missing: name the chat or the receiver")
    if ":" in request.receiver:
        raise bad_field("receiver", "a name cannot contain `:`")
    return f"{request.sender}:{request.receiver}"
