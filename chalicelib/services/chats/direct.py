"""Chats of two: shown in one's inbox before anybody writes, and put away."""

from __future__ import annotations

from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.fan_out import ChatFanOut
from chalicelib.services.social.contact import check_contact
from chalicelib.services.values.names import Names
from chalicelib.store.accounts.accounts import Accounts
from chalicelib.store.chats.summary import Summaries
from chalicelib.store.inbox.index import InboxEntry, InboxState
from chalicelib.store.inbox.read_state import ReadStates


class DirectChats:
    """The rules of opening and leaving chats of two.

    strict: whether everybody has an account, as on a server that trusts no names.
    """

    def __init__(
        self,
        names: Names,
        accounts: Accounts,
        summaries: Summaries,
        read_states: ReadStates,
        fan_out: ChatFanOut,
        *,
        strict: bool,
    ) -> None:
        self._names = names
        self._accounts = accounts
        self._summaries = summaries
        self._read_states = read_states
        self._fan_out = fan_out
        self._strict = strict

    def open(self, caller: Caller, name: str) -> tuple[str, bool]:
        """Have a chat with somebody in the inbox; returns its id, and whether it is new.

        Raises BadRequest, UserNotFound; Blocked for a new one.
        """
        other = self._names.user(name, "with")
        chat = ":".join(sorted((caller.handle, other)))
        asked = self._summaries.of(chat, caller.handle), self._accounts.relation(other, caller.handle)
        summary, peer = caller.read_all(*asked)
        is_new = not (summary.epoch or summary.stamp)
        if is_new and other != caller.handle:
            check_contact(other, peer, needs_account=self._strict)
        touched = self._read_states.open(chat, caller.handle)
        place = InboxEntry(caller.handle, touched.stamp, InboxState.IN, touched.active)
        self._fan_out.deliver_entries(chat, [place])
        return chat, is_new

    def leave(self, caller: Caller, chat: str) -> None:
        """Put a chat away until somebody writes, and hide what it holds by now, for the caller alone.

        chat: its canonical id; the caller is one of the two. Again is fine.
        """
        caller.authenticate()
        touched = self._read_states.leave(chat, caller.handle)
        place = InboxEntry(caller.handle, touched.stamp, InboxState.OUT, touched.active)
        self._fan_out.deliver_entries(chat, [place])
