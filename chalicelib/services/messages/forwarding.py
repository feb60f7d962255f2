"""Forwarding: the message of another chat, or of the same one, as the content of a new message."""

from __future__ import annotations

from chalicelib.errors import ChatNotFound, Forbidden, MessageNotFound, NotAMember
from chalicelib.schemas.messages import ForwardedFrom
from chalicelib.services.auth.caller import Caller
from chalicelib.services.values.chat_id import ChatId, ChatIds
from chalicelib.store.messages.changes import MessageChanges, Seen
from chalicelib.store.messages.content import TEXT, Extra, LogEntry, Origin
from chalicelib.texts import folded


class ForwardSources:
    """Reads the messages that users forward, as these users may read them."""

    def __init__(self, ids: ChatIds) -> None:
        self._ids = ids

    def reference(self, caller: Caller, forwarded: ForwardedFrom) -> str:
        """Return the text by which a repeated request is recognised; raises as `read`."""
        return f"{self._chat(caller, forwarded).text} {forwarded.seq}"

    def read(self, caller: Caller, forwarded: ForwardedFrom) -> tuple[str, Extra]:
        """Return the text of a message and what goes with it, read in the round trip that authenticates.

        The first author and chat are those of the first message, also if this one was forwarded itself.
        Raises MessageNotFound also if the caller may not read it, or it was deleted; Forbidden for one that
        expires, and for one of kind `system`; BadRequest for an id that no chat can have.
        """
        chat = self._chat(caller, forwarded).text
        reading = MessageChanges.read(chat, forwarded.seq, caller.handle).deferred()
        entry = _entry(caller.read(reading))
        if entry.content.kind != TEXT:
            raise Forbidden("Messages of kind `system` cannot be forwarded.")
        if entry.expires:
            raise Forbidden("A message that expires cannot be forwarded.")
        extra, sender = entry.content.extra, folded(entry.content.sender)
        origin = extra.forwarded or Origin(chat, forwarded.seq, sender)
        return entry.content.text, Extra(data=extra.data, forwarded=origin)

    def _chat(self, caller: Caller, forwarded: ForwardedFrom) -> ChatId:
        try:
            return self._ids.own(caller.handle, forwarded.chat, "forward.chat")
        except (ChatNotFound, NotAMember):
            raise _not_found() from None


def _entry(read: object) -> LogEntry:
    try:
        seen: Seen | None = read()  # type: ignore[operator]
    except (ChatNotFound, NotAMember):
        seen = None
    if seen is None or seen.entry.is_deleted:
        raise _not_found()
    return seen.entry


def _not_found() -> MessageNotFound:
    return MessageNotFound("There is no such message to forward, or you may not read it.")
