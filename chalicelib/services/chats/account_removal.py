"""Removing a deleted account from groups and rooms."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.errors import ChatNotFound, LastOwner, UserNotFound
from chalicelib.services.chats.decisions import Action, Decision
from chalicelib.services.chats.permissions import check_target, has_relation
from chalicelib.services.chats.transaction import MAX_ATTEMPTS, ChatTransactions, too_busy
from chalicelib.services.values.chat_id import is_group
from chalicelib.services.values.system_events import event
from chalicelib.store.chats.chats import Chats, ChatSnapshot, MemberChange
from chalicelib.store.chats.info import Info, Member, Other, Relation, Role
from chalicelib.store.redis.client import Store


class AccountRemoval:
    """Removes deleted users from chats."""

    def __init__(self, store: Store, chats: Chats, transactions: ChatTransactions) -> None:
        self._store = store
        self._chats = chats
        self._transactions = transactions

    def remove(self, handle: str, chat: str) -> None:
        """Remove a deleted user from a group or room; idempotent, and fine for a chat that does not exist.

        If the user was the only owner, the member with the highest role becomes an owner: of several, the
        one who joined first. A chat without other members is deleted. Direct chats stay as they are.

        chat: The canonical id.
        """
        if not is_group(chat):
            return
        for _ in range(MAX_ATTEMPTS):
            try:
                self._remove(handle, chat)
            except (LastOwner, UserNotFound):  # the other owner, or the successor, has left meanwhile
                continue
            except ChatNotFound:
                pass
            return
        raise too_busy(chat)

    def _remove(self, handle: str, chat: str) -> None:
        snapshot, members = self._store.run_both(self._chats.viewing(chat, handle), self._chats.members(chat))
        own = snapshot.records[handle]
        others = [member for member in members if member.handle != handle]
        successor = handle
        if isinstance(own, Member) and own.role == Role.OWNER and not _has_owner(others):
            if not others:
                self._transactions.delete(chat, snapshot, _check_alone)
                return
            successor = max(others, key=lambda one: (one.role, -one.joined)).handle
            snapshot = self._store.run(self._chats.viewing(chat, handle, successor))

        def decide(info: Info, seen: ChatSnapshot) -> Decision | None:
            return remove_deleted(
                Action(chat, info, handle, successor, seen.records[handle], seen.records[successor])
            )

        self._transactions.change(chat, snapshot, handle, decide)


def remove_deleted(action: Action) -> Decision | None:
    """End the membership of the acting user, whose account is deleted.

    The target, if that is another member, becomes an owner. Raises UserNotFound: the target has left.
    """
    if not isinstance(action.actor, Member):
        was_member = isinstance(action.actor, Other) and action.actor.upto > 0
        is_done = action.actor is None or has_relation(action.actor, Relation.DELETED)
        relation = Relation.DELETED if was_member else None
        return None if is_done else Decision((MemberChange(action.by, relation),))
    changes = (MemberChange(action.by, Relation.DELETED),)
    if action.to == action.by:
        return Decision(changes, event("account_deleted"))
    check_target(action.chat, action.to, action.target)
    deleted = event("account_deleted", [action.to], role="owner")
    return Decision((*changes, MemberChange(action.to, Role.OWNER)), deleted)


def _check_alone(seen: ChatSnapshot) -> None:
    if seen.info is not None and seen.info.members > 1:
        raise LastOwner("Other members have joined meanwhile.")


def _has_owner(members: Sequence[Member]) -> bool:
    return any(member.role == Role.OWNER for member in members)
