"""Sending a message: the one path that /v1, the WebSocket API and the legacy APIs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chalicelib.errors import Forbidden, MessageNotFound
from chalicelib.schemas.messages import SendRequest
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.display_names import DisplayNames
from chalicelib.services.delivery.fan_out import ChatFanOut
from chalicelib.services.delivery.outgoing_message import OutgoingMessage
from chalicelib.services.messages.append import MessageAppender, Stored
from chalicelib.services.messages.drafts import Drafts
from chalicelib.services.values.chat_id import ChatId
from chalicelib.store.messages.content import LogEntry
from chalicelib.store.messages.log import LogPage


class Sent(NamedTuple):
    """A message that is stored; duplicate: Whether an earlier request with the same id stored it."""

    stored: OutgoingMessage
    duplicate: bool


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
        self, appender: MessageAppender, fan_out: ChatFanOut, names: DisplayNames, drafts: Drafts
    ) -> None:
        self._appender = appender
        self._fan_out = fan_out
        self._names = names
        self._drafts = drafts

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
        reply to no message, and what Drafts.make raises for a forward.
        """
        try:
            new = self._drafts.make(caller, chat, request, sender or caller.handle)
        except (MessageNotFound, Forbidden):
            repeated = self._drafts.repeated(caller, chat, request, sender or caller.handle)
            if repeated is None:
                raise
            return self._repeated(caller, chat, repeated, on_stored)
        stored = self._appender.append(caller, chat, new, skip)
        appended = stored.appended
        entry = appended.first or LogEntry(
            appended.seq, appended.time, new.content, expires=appended.expires, root=appended.root
        )
        sent = Sent(OutgoingMessage(chat.text, entry, appended.epoch, stored.sender_name), appended.duplicate)
        if on_stored is not None:
            on_stored(sent)
        if not appended.duplicate:
            self._deliver(chat, stored, sent.stored, skip)
        return sent

    def check(self, caller: Caller, chat: ChatId, request: SendRequest) -> None:
        """Return if the caller may send a message now, which the word filter is not asked about.

        Raises what `send` does, except IdConflict and SlowMode.
        """
        self._appender.check(caller, chat, self._drafts.check(caller, request))

    def _repeated(self, caller: Caller, chat: ChatId, page: LogPage, on_stored: OnStored | None) -> Sent:
        """Return what an earlier request stored, the message of a page."""
        name = self._names.known(caller.handle)
        sent = Sent(OutgoingMessage(chat.text, page.entries[0], page.epoch, name), duplicate=True)
        if on_stored is not None:
            on_stored(sent)
        return sent

    def _deliver(self, chat: ChatId, stored: Stored, shown: OutgoingMessage, skip: str | None) -> None:
        appended, delivered, _ = stored
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
