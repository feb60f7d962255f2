"""Send and pull as the three small servers that Parley replaces had them: chats of two, by position."""

from __future__ import annotations

from chalicelib.errors import bad_field
from chalicelib.schemas.messages import MAX_PAGE, ClassicMessage, ClassicPage, ClassicPull, ClassicSend
from chalicelib.services.content import checked_id, checked_text, fitting
from chalicelib.services.names import Names
from chalicelib.store.messages import Content, MessageLog

DEFAULT_LIMIT = 10


class ClassicMessages:
    """The rules of the classic send and pull; the sender's name is trusted, so the room before checks it."""

    def __init__(self, log: MessageLog, names: Names) -> None:
        self._log = log
        self._names = names

    def send(self, request: ClassicSend) -> ClassicMessage:
        """Append a message to a chat of two; raises BadRequest, TextTooLong, IdConflict."""
        chat = _chat_of(request)
        canonical, members = self._names.direct_chat(chat, "chat")
        if request.sender.casefold() not in members:
            raise bad_field("sender", "the sender is not one of the chat's two names")
        content = Content(request.sender, checked_text(request.text), checked_id(request.id))
        appended = self._log.append(canonical, content)
        return ClassicMessage(chat, content.text, content.sender, appended.time // 1_000_000)

    def pull(self, request: ClassicPull) -> ClassicPage:
        """Read a chat of two by position in send order, or with reverse from the newest.

        Raises BadRequest.
        """
        chat, reverse = request.chat, bool(request.reverse)
        canonical, _ = self._names.direct_chat(chat, "chat")
        read = self._log.newest if reverse else self._log.after
        part = read(canonical, request.cursor or 0, min(request.limit or DEFAULT_LIMIT, MAX_PAGE))
        entries = fitting(part.entries[::-1] if reverse else part.entries, chat)
        last = entries[-1].seq if entries else 0
        has_more = bool(entries) and (last > part.base + 1 if reverse else last < part.head)
        following = part.head - last + 1 if reverse else last
        messages = [
            ClassicMessage(chat, e.content.text, e.content.sender, e.time // 1_000_000) for e in entries
        ]
        return ClassicPage(messages, has_more, following if has_more else None)


def _chat_of(request: ClassicSend) -> str:
    if request.chat is not None:
        return request.chat
    if request.receiver is None:
        raise bad_field("chat", "name the chat, or the receiver")
    if ":" in request.receiver:
        raise bad_field("receiver", "a name has no `:`")
    return f"{request.sender}:{request.receiver}"
