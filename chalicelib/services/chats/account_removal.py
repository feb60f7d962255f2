"""What becomes of the groups and rooms of somebody whose account was deleted."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.errors import ChatNotFound, LastOwner, UserNotFound
from chalicelib.services.chats import rules
from chalicelib.services.chats.decisions import Action, Decision
from chalicelib.services.chats.transaction import MOST_TRIES, ChatTransactions, busy
from chalicelib.services.values.chat_id import is_group
from chalicelib.store.chats.chats import Chats, ChatSnapshot
from chalicelib.store.chats.info import Info, Member, Role
from chalicelib.store.redis.client import Store


class AccountRemoval:
    """Takes deleted users out of chats."""

    def __init__(self, store: Store, chats: Chats, transactions: ChatTransactions) -> None:
        self._store = store
        self._chats = chats
        self._transactions = transactions

    def depart(self, handle: str, chat: str) -> None:
        """Take a deleted user out of a chat; again is fine, and so is a chat that is not there.

        Of a group without another owner the highest member, of those who joined first, becomes one; without
        another member it is deleted. chat: its canonical id; of a direct chat nothing changes.
        """
        if not is_group(chat):
            return
        for _ in range(MOST_TRIES):
            try:
                self._depart(handle, chat)
            except (LastOwner, UserNotFound):  # the other owner, or who was to be one, has left meanwhile
                continue
            except ChatNotFound:
                pass
            return
        raise busy(chat)

    def _depart(self, handle: str, chat: str) -> None:
        view, members = self._store.run_both(self._chats.viewing(chat, handle), self._chats.members(chat))
        own = view.records[handle]
        others = [member for member in members if member.handle != handle]
        heir = handle
        if isinstance(own, Member) and own.role == Role.OWNER and not _owned(others):
            if not others:
                self._transactions.delete(chat, view, _check_alone)
                return
            heir = max(others, key=lambda one: (one.role, -one.joined)).handle
            view = self._store.run(self._chats.viewing(chat, handle, heir))

        def decide(info: Info, seen: ChatSnapshot) -> Decision | None:
            return rules.depart(Action(chat, info, handle, heir, seen.records[handle], seen.records[heir]))

        self._transactions.change(chat, view, handle, decide)


def _check_alone(seen: ChatSnapshot) -> None:
    if seen.info is not None and seen.info.members > 1:
        raise LastOwner("Others have come meanwhile.")


def _owned(members: Sequence[Member]) -> bool:
    return any(member.role == Role.OWNER for member in members)
