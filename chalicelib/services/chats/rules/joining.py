"""Joining and leaving groups and rooms."""

from __future__ import annotations

from chalicelib.errors import Forbidden, TooManyChats
from chalicelib.services.chats.decisions import Action, Decision
from chalicelib.services.chats.permissions import banned, check_member, has_relation
from chalicelib.services.values.system_events import event
from chalicelib.store.chats.changes import MemberChange
from chalicelib.store.chats.info import Member, Other, Relation, Role


def join(action: Action) -> Decision | None:
    """Make the acting user a member, or record a join request; raises Banned, Forbidden, TooManyChats."""
    actor, policy = action.actor, action.info.join
    if isinstance(actor, Member):
        return None
    if has_relation(actor, Relation.BANNED):
        raise banned(action.chat)
    if policy == "open" or has_relation(actor, Relation.INVITED):
        check_large_chats(action)
        return Decision((MemberChange(action.by, Role.MEMBER),), event("joined"))
    if has_relation(actor, Relation.REQUESTED):
        return None
    if policy == "request" or (isinstance(actor, Other) and actor.refused):
        return Decision((MemberChange(action.by, Relation.REQUESTED),))
    raise Forbidden(f"You need an invitation to join {action.chat}.")


def leave(action: Action) -> Decision | None:
    """End the acting user's membership; the store refuses the last owner. Raises Banned, NotAMember."""
    if has_relation(action.actor, Relation.LEFT, Relation.REMOVED):
        return None
    check_member(action.chat, action.actor)
    return Decision((MemberChange(action.by, Relation.LEFT),), event("left"))


def check_large_chats(action: Action) -> None:
    """Raise TooManyChats if the chat is large and the target is in the maximum number of large chats."""
    if action.info.large and not action.invitee.can_join_large_chat:
        if action.by == action.to:
            raise TooManyChats("You are in the maximum number of large chats. Leave one first.")
        raise TooManyChats(f"{action.to} is in the maximum number of large chats. They must leave one first.")
