"""Changing single messages by compare-and-set: read, decide, write, and repeat after another's change."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import NamedTuple

from chalicelib.errors import StoreUnavailable, message_deleted, no_message
from chalicelib.pauses import pause
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.fan_out import ChatFanOut
from chalicelib.services.social.contact import check_not_blocked
from chalicelib.services.values.chat_id import ChatId
from chalicelib.store.accounts.accounts import Accounts
from chalicelib.store.messages.changes import MessageChange, MessageChanges, NewVersion, Seen
from chalicelib.store.messages.content import LogEntry
from chalicelib.store.redis.client import Store

MAX_ATTEMPTS = 20
MAX_PAUSE_SECONDS = 0.02  # between two attempts

Decide = Callable[[LogEntry], NewVersion | None]
"""Returns the new version of a message; None: it stays as it is. Raises ParleyError to refuse the change."""


class ChangedMessage(NamedTuple):
    """A message after a change; epoch: Of its chat's log, µs since 1970. change: None: it was already so."""

    entry: LogEntry
    epoch: int
    change: MessageChange | None


class MessageTransactions:
    """Changes messages, and delivers the changes to inboxes and connections."""

    def __init__(
        self, store: Store, changes: MessageChanges, accounts: Accounts, fan_out: ChatFanOut
    ) -> None:
        self._store = store
        self._changes = changes
        self._accounts = accounts
        self._fan_out = fan_out

    def change(
        self,
        caller: Caller,
        chat: ChatId,
        seq: int,
        decide: Decide,
        *,
        contacts: bool = False,
        skip: str | None = None,
    ) -> ChangedMessage:
        """Make the change that is decided on.

        decide: Called again if the message has changed meanwhile. contacts: Whether the change reaches the
        other user of a direct chat, who must not have blocked the caller. skip: Id of a connection that the
        change is not pushed to. Raises MessageNotFound, MessageDeleted, ChatNotFound, NotAMember, Muted,
        Forbidden, Blocked, what `decide` raises, and StoreUnavailable: the message changes too quickly.
        """
        seen = self._read(caller, chat, seq, contacts=contacts)
        for _ in range(MAX_ATTEMPTS):
            if seen is None:
                raise no_message(chat.text, seq)
            new = _decided(decide, chat, seen)
            if new is None:
                return ChangedMessage(seen.entry, seen.epoch, None)
            change = self._store.run(self._changes.change(chat.text, seen, new, caller.handle))
            if change is not None:
                entry = _after(seen.entry, new, change)
                self._fan_out.deliver_message_change(chat, entry, seen.epoch, change, skip=skip)
                return ChangedMessage(entry, seen.epoch, change)
            pause(random.uniform(0, MAX_PAUSE_SECONDS))  # noqa: S311  # a pause is no secret
            seen = self._store.run(self._changes.read(chat.text, seq, caller.handle))
        raise StoreUnavailable(
            f"Message {seq} of chat {chat.text} is being changed by too many requests. Try again."
        )

    def _read(self, caller: Caller, chat: ChatId, seq: int, *, contacts: bool) -> Seen | None:
        reading = self._changes.read(chat.text, seq, caller.handle)
        other = chat.other(caller.handle)
        if not contacts or other == caller.handle:
            return caller.read(reading)
        seen, relation = caller.read_all(reading, self._accounts.relation(other, caller.handle))
        check_not_blocked(other, by_other=relation.blocks)
        return seen  # type: ignore[no-any-return]


def _decided(decide: Decide, chat: ChatId, seen: Seen) -> NewVersion | None:
    """Return the new version of a message; raises MessageDeleted: a deleted message does not change."""
    new = decide(seen.entry)
    if new is not None and seen.entry.is_deleted:
        raise message_deleted(chat.text, seen.entry.seq)
    return new


def _after(entry: LogEntry, new: NewVersion, change: MessageChange) -> LogEntry:
    expires = 0 if new.content.extra.deleted else entry.expires
    return entry._replace(content=new.content, change=change.number, expires=expires)
