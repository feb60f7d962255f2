"""Removing, banning and muting members of groups and rooms.

A mute is stored in the member's record. The script of a send refuses a muted member: see
store/lua/messages/append_message.lua.
"""

from __future__ import annotations

from chalicelib.errors import bad_field, no_user
from chalicelib.services.chats.decisions import Action, Decision, former
from chalicelib.services.chats.permissions import check_below, check_manager, check_target, has_relation
from chalicelib.services.chats.rules.joining import leave
from chalicelib.services.values.system_events import event
from chalicelib.store.chats.changes import MemberChange
from chalicelib.store.chats.info import Member, Relation


def remove(action: Action) -> Decision | None:
    """End the target's membership; the acting user's own: see `leave`.

    Raises Banned, NotAMember, Forbidden.
    """
    if action.by == action.to:
        return leave(action)
    actor = check_manager(action.chat, action.actor)
    if not isinstance(action.target, Member):
        return None
    check_below(action.target, actor)
    return Decision((MemberChange(action.to, Relation.REMOVED),), event("removed", [action.to]))


def ban(action: Action) -> Decision | None:
    """End the target's membership, and let them neither join nor be invited until the ban is lifted.

    Raises BadRequest, UserNotFound, Banned, NotAMember, Forbidden.
    """
    actor = check_manager(action.chat, action.actor)
    if action.by == action.to:
        raise bad_field("handle", "this is your own handle: name another user")
    if has_relation(action.target, Relation.BANNED):
        return None
    if not action.invitee.exists or has_relation(action.target, Relation.DELETED):
        raise no_user(action.to)
    if not isinstance(action.target, Member):
        return Decision((MemberChange(action.to, Relation.BANNED),))
    check_below(action.target, actor)
    return Decision((MemberChange(action.to, Relation.BANNED),), event("banned", [action.to]))


def unban(action: Action) -> Decision | None:
    """Lift the target's ban; raises Banned, NotAMember, Forbidden."""
    check_manager(action.chat, action.actor)
    return former(action.to, action.target) if has_relation(action.target, Relation.BANNED) else None


def mute(action: Action, until: int) -> Decision | None:
    """Keep the target from sending messages until a time; raises UserNotFound, NotAMember, Forbidden.

    until: µs since 1970; 0 ends the mute.
    """
    actor, target = (
        check_manager(action.chat, action.actor),
        check_target(action.chat, action.to, action.target),
    )
    check_below(target, actor)
    if target.muted_until == until:
        return None
    muted = event("muted", [action.to], until=until) if until else event("unmuted", [action.to])
    return Decision((MemberChange(action.to, target.role, until),), muted)
