"""Removing a deleted account from groups and rooms."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.errors import LastOwner
from chalicelib.services.chats.decisions import Action, Decision
from chalicelib.services.chats.permissions import check_target, has_relation
from chalicelib.services.values.system_events import event
from chalicelib.store.chats.changes import ChatSnapshot, MemberChange
from chalicelib.store.chats.info import Member, Other, Relation, Role


def successor_of(handle: str, snapshot: ChatSnapshot, members: Sequence[Member]) -> str | None:
    """Return the member who becomes an owner when a deleted account leaves a chat.

    This is the member with the highest role, of several the member who joined first; the account itself if it
    is not the only owner. None: the chat has no other members, and is deleted.
    """
    own = snapshot.records[handle]
    others = [member for member in members if member.handle != handle]
    is_owner = isinstance(own, Member) and own.role == Role.OWNER
    if not is_owner or any(member.role == Role.OWNER for member in others):
        return handle
    return max(others, key=lambda one: (one.role, -one.joined)).handle if others else None


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


def check_alone(seen: ChatSnapshot) -> None:
    """Raise LastOwner if a chat to delete has other members now."""
    if seen.info is not None and seen.info.members > 1:
        raise LastOwner("Other members have joined meanwhile.")
