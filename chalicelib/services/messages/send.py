"""Sending a message: the one path that /v1, the WebSocket API and the legacy APIs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chalicelib.schemas.messages import Message, SendRequest
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.display_names import DisplayNames
from chalicelib.services.delivery.fan_out import ChatFanOut
from chalicelib.services.delivery.outgoing_message import OutgoingMessage, outgoing
from chalicelib.services.messages.append import MessageAppender, NewMessage, Stored
from chalicelib.services.messages.text_filter import TextFilter
from chalicelib.services.values.chat_id import ChatId
from chalicelib.services.values.message_limits import checked_id, checked_text
from chalicelib.store.messages.content import Content, LogEntry


class Sent(NamedTuple):
    """A message that is stored; duplicate: Whether an earlier request with the same id stored it."""

    stored: OutgoingMessage
    duplicate: bool

    @property
    def message(self) -> Message:
        """The message as its readers see it."""
        return self.stored.message

    @property
    def entry(self) -> LogEntry:
        """The message as the log holds it."""
        return self.stored.entry


OnStored = Callable[[Sent], object]
"""Called with a message that is stored, before it is delivered to others."""


class MessageSender:
    """Checks messages, appends them to their chats and delivers them.

    The checks, in order: the content; if there is a word filter, the caller's token and rate limits, and the
    filter; the caller's token and rate limits; in a direct chat, whether the caller may contact the other
    user; then in the script of the append (lua/messages/append_message.lua) membership, a mute, an id that
    was used for other content, slow mode, and the message that is replied to.
    A send to a direct chat takes one round trip, one to a group two; on a cluster they take three.
    """

    def __init__(
        self, appender: MessageAppender, fan_out: ChatFanOut, names: DisplayNames, texts: TextFilter
    ) -> None:
        self._appender = appender
        self._fan_out = fan_out
        self._names = names
        self._texts = texts

    def send(
        self,
        caller: Caller,
        chat: ChatId,
        request: SendRequest,
        *,
        sender: str | None = None,
        on_stored: OnStored | None = None,
        skip: str | None = None,
    ) -> Sent:
        """Append a message to a chat and deliver it to the other members.

        sender: The caller's handle as the log stores it; by default case-folded.
        skip: Id of a connection that the message is not pushed to.
        Raises ChatNotFound, NotAMember, Muted, SlowMode, UserNotFound, Blocked, BadRequest, TextTooLong,
        IdConflict, NotAuthenticated, TooManyRequests, TextRefused, FilterUnavailable; MessageNotFound for a
        reply to no message.
        """
        text = self._texts.checked(caller, chat.text, request.text)
        content = _content(request, sender or caller.handle, text)
        new = NewMessage(content, request.text, request.expires_in or 0)
        stored = self._appender.append(caller, chat, new, skip)
        appended = stored.appended
        entry = appended.first or LogEntry(
            appended.seq, appended.time, content, expires=appended.expires, root=appended.root
        )
        name = self._names.known(caller.handle)
        sent = Sent(outgoing(chat.text, entry, appended.epoch, name), appended.duplicate)
        if on_stored is not None:
            on_stored(sent)
        if not appended.duplicate:
            self._deliver(chat, stored, sent.stored, skip)
        return sent

    def check(self, caller: Caller, chat: ChatId, request: SendRequest) -> None:
        """Return if the caller may send a message now, which the word filter is not asked about.

        Raises what `send` does, except IdConflict and SlowMode.
        """
        self._appender.check(caller, chat, _content(request, caller.handle, checked_text(request.text)))

    def _deliver(self, chat: ChatId, stored: Stored, shown: OutgoingMessage, skip: str | None) -> None:
        appended, delivered = stored
        if delivered is not None:
            self._fan_out.push_delivered(chat.text, appended.time, delivered, message=shown, skip=skip)
            return
        self._fan_out.deliver_message(
            chat.text,
            appended.time,
            chat.members or appended.members,
            message=shown,
            recipients=appended.recipients or (),
            skip=skip,
        )


def _content(request: SendRequest, sender: str, text: str) -> Content:
    return Content(
        sender,
        text,
        checked_id(request.id),
        request.kind,
        reply_to=request.reply_to,
    )
