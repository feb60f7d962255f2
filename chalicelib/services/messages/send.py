"""Sending a message: the one path that /v1, the WebSocket API and the legacy APIs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chalicelib.schemas.messages import Message, SendRequest
from chalicelib.services.auth.account_status import AccountStatusCache
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.fan_out import ChatFanOut
from chalicelib.services.social.contact import check_contact
from chalicelib.services.values.chat_id import ChatId
from chalicelib.services.values.message_limits import checked_id, checked_text
from chalicelib.services.views.message_row import message
from chalicelib.store.accounts.accounts import Accounts, AccountStatus
from chalicelib.store.messages.content import Content, LogEntry
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.redis.client import Store


class Sent(NamedTuple):
    """A message that is stored: as its readers see it, and as the log holds it.

    duplicate: Whether an earlier request with the same id stored it.
    """

    message: Message
    entry: LogEntry
    duplicate: bool


OnStored = Callable[[Sent], object]
"""Called with a message that is stored, before it is delivered to others."""


class MessageSender:
    """Checks messages, appends them to their chats and delivers them.

    The checks, in order: the content; the caller's token and rate limits; in a direct chat, whether the
    caller may contact the other user; then in the script of the append (lua/messages/append_message.lua)
    membership, a mute, an id that was used for other content, and the message that is replied to.
    A send takes two round trips, and one for each batch of inboxes.

    needs_account: Whether the other user of a direct chat needs an account, for a caller with a token.
    """

    def __init__(
        self,
        store: Store,
        log: MessageLog,
        accounts: Accounts,
        statuses: AccountStatusCache,
        fan_out: ChatFanOut,
        *,
        needs_account: bool,
    ) -> None:
        self._store = store
        self._log = log
        self._accounts = accounts
        self._statuses = statuses
        self._fan_out = fan_out
        self._needs_account = needs_account

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
        Raises ChatNotFound, NotAMember, Muted, UserNotFound, Blocked, BadRequest, TextTooLong, IdConflict,
        NotAuthenticated, TooManyRequests; MessageNotFound for a reply to no message.
        """
        content = Content(
            sender or caller.handle,
            checked_text(request.text),
            checked_id(request.id),
            request.kind,
            reply_to=request.reply_to,
        )
        self._authenticate(caller, chat)
        appended = self._store.run(self._log.append(chat.text, content))
        entry = LogEntry(appended.seq, appended.time, content)
        sent = Sent(message(chat.text, entry), entry, appended.duplicate)
        if on_stored is not None:
            on_stored(sent)
        if not appended.duplicate:
            self._fan_out.deliver_message(
                chat.text,
                appended.time,
                chat.members or appended.members,
                message=sent.message,
                recipients=appended.recipients or (),
                skip=skip,
            )
        return sent

    def _authenticate(self, caller: Caller, chat: ChatId) -> None:
        """Authenticate the caller, and check a direct chat's other user in the same round trip."""
        other = caller.handle if chat.members is None else chat.other(caller.handle)
        if other == caller.handle or self._has_no_account(caller, other):
            caller.authenticate()
            return
        relation = caller.read(self._accounts.relation(other, caller.handle))
        needs_account = self._needs_account and caller.session is not None
        check_contact(other, relation, needs_account=needs_account)

    def _has_no_account(self, caller: Caller, other: str) -> bool:
        """Return whether the other user is a name without an account, for a caller who is one too."""
        return caller.session is None and self._statuses.of(other) is AccountStatus.NONE
