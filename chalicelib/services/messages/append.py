"""The store's part of a send: in one script call where that is possible, else step by step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from chalicelib.services.auth.account_status import AccountStatusCache
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.display_names import DisplayNames
from chalicelib.services.social.contact import check_contact
from chalicelib.services.values.chat_id import ChatId
from chalicelib.store.accounts.accounts import Accounts, AccountStatus
from chalicelib.store.inbox.index import Inboxes
from chalicelib.store.messages.append_result import Appended
from chalicelib.store.messages.content import Content
from chalicelib.store.messages.log import MessageLog
from chalicelib.store.messages.one_step import Delivered, OneStepSends, SendOutcome, Steps
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Batch, Query


class NewMessage(NamedTuple):
    """A message to append.

    sent_text: The text as the caller sent it, by which a repeated send is recognised. lifetime: Seconds until
    the message expires; 0: those of the chat, if any. source: Reference to the message that it forwards, by
    which a repeated send is recognised; empty: none. mentioned: See MessageLog.append.
    """

    content: Content
    sent_text: str
    lifetime: int = 0
    source: str = ""
    mentioned: Sequence[str] = ()

    def appending(self, log: MessageLog, chat: str, *, pending: bool = True) -> Query[Appended]:
        """Return the query that appends the message; see MessageLog.append."""
        return log.append(
            chat,
            self.content,
            pending=pending,
            lifetime=self.lifetime,
            sent_text=self.sent_text,
            source=self.source,
            mentioned=self.mentioned,
        )

    def finding(self, log: MessageLog, chat: str) -> Batch[int]:
        """Return the batch for the seq of the message that was appended before; see MessageLog.find."""
        return log.find(
            chat, self.content, lifetime=self.lifetime, sent_text=self.sent_text, source=self.source
        )


class Stored(NamedTuple):
    """A stored message.

    delivered: None: it is in no inbox yet. sender_name: The name that the sender shows; None: it is unknown.
    """

    appended: Appended
    delivered: Delivered | None
    sender_name: str | None


class MessageAppender:
    """Authenticates callers, checks whom they write to, and appends their messages.

    On a store with one slot this is one round trip, in which a message of a direct chat also enters both
    inboxes. On a cluster, and where the store refuses writes, it is two, with the same checks in the same
    order: so a caller who is refused learns the same on every store, and nothing is written.

    needs_account: Whether the other user of a direct chat needs an account, for a caller with a token.
    """

    def __init__(
        self,
        store: Store,
        log: MessageLog,
        accounts: Accounts,
        statuses: AccountStatusCache,
        inboxes: Inboxes,
        names: DisplayNames,
        *,
        needs_account: bool,
    ) -> None:
        self._store = store
        self._log = log
        self._accounts = accounts
        self._statuses = statuses
        self._inboxes = inboxes
        self._names = names
        self._sends = OneStepSends()
        self._needs_account = needs_account

    def append(self, caller: Caller, chat: ChatId, new: NewMessage, skip: str | None) -> Stored:
        """Append a message; skip: Id of a connection that the message is not pushed to.

        Raises what MessageSender.send raises once the content is checked.
        """
        if self._store.has_one_slot and (chat.members is not None or not caller.authenticated):
            stored = self._in_one_step(caller, chat, new, skip)
            if stored is not None:
                return stored
        name = self._authenticate(caller, chat)
        query = new.appending(self._log, chat.text)
        if name is not None:
            return Stored(self._store.run(query), None, name)
        return Stored(self._append_naming(caller, query), None, self._names.known(caller.handle))

    def check(self, caller: Caller, chat: ChatId, content: Content) -> None:
        """Return if `append` would accept a message now, and append nothing; raises what it raises."""
        self._authenticate(caller, chat)
        self._store.run(self._log.check(chat.text, caller.handle, content.reply_to))

    def _in_one_step(self, caller: Caller, chat: ChatId, new: NewMessage, skip: str | None) -> Stored | None:
        """Append a message in one round trip; None: the store refused it before anything ran."""
        other, name = self._checked_user(caller, chat), self._names.known(caller.handle)
        steps = Steps(
            new.appending(self._log, chat.text, pending=chat.members is None),
            caller.authenticating(),
            None if other is None else self._accounts.relation(other, caller.handle),
            None if chat.members is None else self._inboxes.delivery(chat.text, chat.members),
            self._names.query(caller.handle) if name is None else None,
        )
        needs = self._needs_account_of(caller)
        outcome = self._store.run(self._sends.send(chat.text, steps, needs_account=needs, skip=skip))
        if outcome is None:
            return None
        self._accept(caller, other, steps, outcome)
        appended = outcome.appended()
        known = self._names.known(caller.handle) if name is None else name
        return Stored(appended, outcome.delivered, known)

    def _accept(self, caller: Caller, other: str | None, steps: Steps, outcome: SendOutcome) -> None:
        """Raise the error of a step that refused the send before the append."""
        if steps.authentication is not None:
            caller.accept(outcome.rate)
        if other is not None and outcome.relation is not None:
            check_contact(other, outcome.relation, needs_account=self._needs_account_of(caller))

    def _append_naming(self, caller: Caller, query: Query[Appended]) -> Appended:
        """Append a message, and read the sender's name, in the same round trip if both can be repeated."""
        naming = self._names.query(caller.handle)
        if query.repeatable:
            return self._store.run_both(query, naming)[0]
        self._store.run(naming)
        return self._store.run(query)

    def _authenticate(self, caller: Caller, chat: ChatId) -> str | None:
        """Authenticate the caller, and in the same round trip check a direct chat's other user.

        Return the sender's name, if this process knows it: unless the caller was authenticated before, the
        same round trip reads it.
        """
        other, name = self._checked_user(caller, chat), self._names.known(caller.handle)
        reads_name = name is None and not caller.authenticated
        if other is None and not reads_name:
            caller.authenticate()
            return name
        queries: list[Query[Any]] = [self._names.query(caller.handle)] if reads_name else []
        if other is not None:
            queries.insert(0, self._accounts.relation(other, caller.handle))
        first, *_ = caller.read_all(*queries)
        if other is not None:
            check_contact(other, first, needs_account=self._needs_account_of(caller))
        return self._names.known(caller.handle) if reads_name else name

    def _checked_user(self, caller: Caller, chat: ChatId) -> str | None:
        """Return the other user of a direct chat, if the caller may not write to just anybody."""
        other = chat.other(caller.handle)
        is_name = caller.session is None and self._statuses.of(other) is AccountStatus.NONE
        return None if other == caller.handle or is_name else other

    def _needs_account_of(self, caller: Caller) -> bool:
        return self._needs_account and caller.session is not None
