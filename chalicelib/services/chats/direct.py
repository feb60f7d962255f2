"""Opening, changing and leaving direct chats."""

from __future__ import annotations

from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.entry_delivery import EntryDelivery
from chalicelib.services.social.contact import check_contact
from chalicelib.services.values.chat_id import ChatId
from chalicelib.services.values.names import Names
from chalicelib.store.accounts.accounts import Accounts
from chalicelib.store.chats.direct_settings import DirectSettings
from chalicelib.store.chats.summary import Summaries
from chalicelib.store.inbox.entries import InboxEntry, InboxState
from chalicelib.store.inbox.read_state import ReadStates
from chalicelib.store.redis.client import Store


class DirectChats:
    """Opens, changes and leaves direct chats.

    needs_account: Whether every user needs an account (PARLEY_AUTH=required).
    """

    def __init__(
        self,
        store: Store,
        names: Names,
        accounts: Accounts,
        read_states: ReadStates,
        entries: EntryDelivery,
        *,
        needs_account: bool,
    ) -> None:
        self._store = store
        self._settings = DirectSettings()
        self._names = names
        self._accounts = accounts
        self._read_states = read_states
        self._entries = entries
        self._needs_account = needs_account

    def open(self, caller: Caller, name: str) -> tuple[str, bool]:
        """Put a chat with another user into the caller's inbox; returns its id, and whether it is new.

        Raises BadRequest, UserNotFound; Blocked for a new one.
        """
        other = self._names.user(name, "with")
        chat = ":".join(sorted((caller.handle, other)))
        queries = Summaries.of(chat, caller.handle), self._accounts.relation(other, caller.handle)
        summary, relation = caller.read_all(*queries)
        is_new = not (summary.epoch or summary.stamp)
        if is_new and other != caller.handle:
            check_contact(other, relation, needs_account=self._needs_account)
        touched = self._store.run(self._read_states.open(chat, caller.handle))
        entry = InboxEntry(caller.handle, touched.stamp, InboxState.IN, touched.active)
        self._entries.deliver(chat, entry)
        return chat, is_new

    def change(self, caller: Caller, chat: ChatId, expires_in: int) -> None:
        """Set after how many seconds new messages of a chat expire, for both users; 0: never.

        Raises UserNotFound, Blocked.
        """
        other = chat.other(caller.handle)
        if other == caller.handle:
            caller.authenticate()
        else:
            relation = caller.read(self._accounts.relation(other, caller.handle))
            check_contact(other, relation, needs_account=self._needs_account)
        if self._store.run(self._settings.change(chat.text, expires_in)):
            self._entries.deliver_settings(chat)

    def leave(self, caller: Caller, chat: str) -> None:
        """Hide a chat and its messages from the caller; a new message brings the chat back. Idempotent.

        chat: The canonical id; the caller is one of the two users.
        """
        caller.authenticate()
        touched = self._store.run(self._read_states.leave(chat, caller.handle))
        entry = InboxEntry(caller.handle, touched.stamp, InboxState.OUT, touched.active)
        self._entries.deliver(chat, entry)
