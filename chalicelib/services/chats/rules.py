"""The rules of groups and rooms: who may do what, and what comes of it. Pure: nothing here asks the store."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.errors import (
    Banned,
    Forbidden,
    InvitationsFull,
    TooManyChats,
    UserNotFound,
    bad_field,
    no_user,
)
from chalicelib.services.chats.decisions import Action, Decision
from chalicelib.services.chats.invitations import MOST_BY_ONE
from chalicelib.services.chats.permissions import Record, banned, check_manager, check_member, stands
from chalicelib.services.social.contact import check_not_blocked
from chalicelib.services.values.chat_id import ROOM_PREFIX
from chalicelib.services.values.system_events import event
from chalicelib.store.chats.chats import MemberChange
from chalicelib.store.chats.info import Member, Other, Relation, Role

ROLES = {"member": Role.MEMBER, "admin": Role.ADMIN, "owner": Role.OWNER}


def change_info(case: Action, fields: Mapping[str, str | bool]) -> Decision | None:
    """Change what a chat is; fields: of Info, and what they are to be."""
    check_manager(case.chat, case.actor)
    if case.chat.startswith(ROOM_PREFIX) and fields.get("join", "open") != "open":
        raise bad_field("join", "a room is open to everybody")
    changed = {name: value for name, value in fields.items() if value != getattr(case.info, name)}
    return Decision((), event("changed", (), **changed), changed) if changed else None


def join(case: Action) -> Decision | None:
    """Become a member, or ask to."""
    actor, policy = case.actor, case.info.join
    if isinstance(actor, Member):
        return None
    if stands(actor, Relation.BANNED):
        raise banned(case.chat)
    if policy == "open" or stands(actor, Relation.INVITED):
        _check_fits(case)
        return Decision((MemberChange(case.by, Role.MEMBER),), event("joined"))
    if stands(actor, Relation.REQUESTED):
        return None
    if policy == "request" or (isinstance(actor, Other) and actor.refused):
        return Decision((MemberChange(case.by, Relation.REQUESTED),))
    raise Forbidden(f"You need an invitation to join {case.chat}.")


def leave(case: Action) -> Decision | None:
    """Be a member no more; the store refuses the last owner."""
    if stands(case.actor, Relation.LEFT, Relation.REMOVED):
        return None
    check_member(case.chat, case.actor)
    return Decision((MemberChange(case.by, Relation.LEFT),), event("left"))


def add(case: Action) -> Decision | None:
    """Make somebody a member, or invite them.

    A user who does not let the caller add them, or has left the chat, is invited.
    """
    check_manager(case.chat, case.actor)
    if isinstance(case.target, Member):
        return None
    _check_welcome(case)
    if _must_ask(case):
        return invite(case)
    _check_fits(case)
    return Decision((MemberChange(case.to, Role.MEMBER),), event("added", [case.to]))


def invite(case: Action) -> Decision | None:
    """Let somebody join when they like."""
    check_manager(case.chat, case.actor)
    if isinstance(case.target, Member) or stands(case.target, Relation.INVITED):
        return None
    _check_welcome(case)
    if not case.invitee.invitable_by_other:
        raise InvitationsFull(
            f"{MOST_BY_ONE} invitations of yours are waiting for {case.to}, the most one user can send. "
            "Withdraw one, or wait until they answer."
        )
    if not case.invitee.invitable:
        raise InvitationsFull(
            f"{case.to} has the maximum number of waiting invitations. They must answer some first."
        )
    return Decision((MemberChange(case.to, Relation.INVITED, inviter=case.by),))


def uninvite(case: Action) -> Decision | None:
    """Take an invitation back, or decline one's own: then the chat cannot repeat it."""
    if case.by == case.to and stands(case.target, Relation.INVITED):
        return Decision((MemberChange(case.to, Relation.LEFT, refused=True),))
    return _ended(case, Relation.INVITED)


def refuse(case: Action) -> Decision | None:
    """Refuse a request to join, or take one's own back."""
    return _ended(case, Relation.REQUESTED)


def unban(case: Action) -> Decision | None:
    """Ban somebody no more."""
    check_manager(case.chat, case.actor)
    return _outside(case.to, case.target) if stands(case.target, Relation.BANNED) else None


def remove(case: Action) -> Decision | None:
    """Make somebody a member no more; oneself: leave."""
    if case.by == case.to:
        return leave(case)
    actor = check_manager(case.chat, case.actor)
    if not isinstance(case.target, Member):
        return None
    _check_below(case.target, actor)
    return Decision((MemberChange(case.to, Relation.REMOVED),), event("removed", [case.to]))


def ban(case: Action) -> Decision | None:
    """Make somebody a member no more, nor again."""
    actor = check_manager(case.chat, case.actor)
    if case.by == case.to:
        raise bad_field("handle", "this is you")
    if stands(case.target, Relation.BANNED):
        return None
    if not case.invitee.exists or stands(case.target, Relation.DELETED):
        raise no_user(case.to)
    if not isinstance(case.target, Member):
        return Decision((MemberChange(case.to, Relation.BANNED),))
    _check_below(case.target, actor)
    return Decision((MemberChange(case.to, Relation.BANNED),), event("banned", [case.to]))


def change_role(case: Action, name: str) -> Decision | None:
    """Give a member another role (see ROLES); more than one may be owner."""
    actor, role = check_manager(case.chat, case.actor, Role.OWNER), ROLES[name]
    if case.by == case.to:
        raise bad_field("handle", "this is you: hand the chat over to somebody else instead")
    target = _check_target(case)
    if target.role == role:
        return None
    _check_below(target, actor)
    muted = 0 if role == Role.OWNER else target.muted_until
    return Decision((MemberChange(case.to, role, muted),), event("role", [case.to], role=name))


def mute(case: Action, until: int) -> Decision | None:
    """Let a member not write until a time, µs since 1970; 0: let them write again."""
    actor, target = check_manager(case.chat, case.actor), _check_target(case)
    _check_below(target, actor)
    if target.muted_until == until:
        return None
    told = event("muted", [case.to], until=until) if until else event("unmuted", [case.to])
    return Decision((MemberChange(case.to, target.role, until),), told)


def hand_over(case: Action) -> Decision | None:
    """Make a member an owner in one's own place, and oneself an admin."""
    check_manager(case.chat, case.actor, Role.OWNER)
    if case.by == case.to:
        raise bad_field("handle", "this is you")
    _check_target(case)
    becomes = (MemberChange(case.to, Role.OWNER), MemberChange(case.by, Role.ADMIN))
    return Decision(becomes, event("handed_over", [case.to]))


def depart(case: Action) -> Decision | None:
    """Be deleted: the target, if that is another member, becomes the owner in one's place."""
    if not isinstance(case.actor, Member):
        was_member = isinstance(case.actor, Other) and case.actor.upto > 0
        gone = case.actor is None or stands(case.actor, Relation.DELETED)
        return None if gone else Decision((MemberChange(case.by, Relation.DELETED if was_member else None),))
    becomes = (MemberChange(case.by, Relation.DELETED),)
    if case.to == case.by:
        return Decision(becomes, event("account_deleted"))
    _check_target(case)
    told = event("account_deleted", [case.to], role="owner")
    return Decision((*becomes, MemberChange(case.to, Role.OWNER)), told)


def _outside(handle: str, record: Record) -> Decision:
    """Return the decision that somebody is what they were before: a former member, or nobody to the chat."""
    is_known = isinstance(record, Other) and (record.upto > 0 or record.refused)
    return Decision((MemberChange(handle, Relation.LEFT if is_known else None),))


def _ended(case: Action, relation: Relation) -> Decision | None:
    if case.by != case.to:
        check_manager(case.chat, case.actor)
    return _outside(case.to, case.target) if stands(case.target, relation) else None


def _check_welcome(case: Action) -> None:
    """Return if the target may be added or invited; raises UserNotFound, Banned, Blocked, Forbidden."""
    if not case.invitee.exists or stands(case.target, Relation.DELETED):
        raise no_user(case.to)
    if stands(case.target, Relation.BANNED):
        raise Banned(f"{case.to} is banned from {case.chat}. Lift the ban first.")
    if stands(case.target, Relation.REQUESTED):
        return
    check_not_blocked(case.to, by_other=case.invitee.blocks)
    if isinstance(case.target, Other) and case.target.refused:
        raise Forbidden(f"{case.to} has refused an invitation to {case.chat}. They can ask to join it.")


def _must_ask(case: Action) -> bool:
    """Return whether somebody is to be invited, and not made a member at once."""
    target = case.target
    if stands(target, Relation.REQUESTED):
        return False
    was_member = stands(target, Relation.INVITED) and isinstance(target, Other) and target.upto > 0
    too_large = case.info.large and not case.invitee.fits
    return stands(target, Relation.LEFT) or was_member or too_large or not case.invitee.welcomes


def _check_fits(case: Action) -> None:
    """Return if the chat is not large, or the target may be in another large one; raises TooManyChats."""
    if case.info.large and not case.invitee.fits:
        if case.by == case.to:
            raise TooManyChats("You are in the maximum number of large chats. Leave one first.")
        raise TooManyChats(f"{case.to} is in the maximum number of large chats. They must leave one first.")


def _check_target(case: Action) -> Member:
    if not isinstance(case.target, Member):
        raise UserNotFound(f"{case.to} is no member of chat {case.chat}.")
    return case.target


def _check_below(target: Member, actor: Member) -> None:
    if target.role >= actor.role:
        raise Forbidden(f"{target.handle} is {target.role.name.lower()}, and only who is more may do this.")
