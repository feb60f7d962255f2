"""Changing the roles of members of groups and rooms."""

from __future__ import annotations

from chalicelib.errors import bad_field
from chalicelib.services.chats.decisions import Action, Decision
from chalicelib.services.chats.permissions import check_below, check_manager, check_target
from chalicelib.services.values.system_events import event
from chalicelib.store.chats.changes import MemberChange
from chalicelib.store.chats.info import Role

ROLES = {"member": Role.MEMBER, "admin": Role.ADMIN, "owner": Role.OWNER}


def change_role(action: Action, name: str) -> Decision | None:
    """Give the target another role; a chat may have several owners.

    name: A key of ROLES. Raises BadRequest, UserNotFound, Banned, NotAMember, Forbidden.
    """
    actor, role = check_manager(action.chat, action.actor, Role.OWNER), ROLES[name]
    if action.by == action.to:
        raise bad_field("handle", "this is your own handle: name another user")
    target = check_target(action.chat, action.to, action.target)
    if target.role == role:
        return None
    check_below(target, actor)
    muted_until = 0 if role == Role.OWNER else target.muted_until
    return Decision((MemberChange(action.to, role, muted_until),), event("role", [action.to], role=name))


def transfer_ownership(action: Action) -> Decision | None:
    """Make the target an owner and the acting owner an admin.

    Raises BadRequest, UserNotFound, Banned, NotAMember, Forbidden.
    """
    check_manager(action.chat, action.actor, Role.OWNER)
    if action.by == action.to:
        raise bad_field("handle", "this is your own handle: name another user")
    check_target(action.chat, action.to, action.target)
    changes = (MemberChange(action.to, Role.OWNER), MemberChange(action.by, Role.ADMIN))
    return Decision(changes, event("handed_over", [action.to]))
