"""Adding users to groups and rooms, invitations, and requests to join."""

from __future__ import annotations

from chalicelib.errors import Banned, Forbidden, InvitationsFull, no_user
from chalicelib.services.chats.decisions import Action, Decision, former
from chalicelib.services.chats.invitee_status import MAX_INVITATIONS_BY_ONE
from chalicelib.services.chats.permissions import check_manager, has_relation
from chalicelib.services.chats.rules.joining import check_large_chats
from chalicelib.services.social.contact import check_not_blocked
from chalicelib.services.values.system_events import event
from chalicelib.store.chats.changes import MemberChange
from chalicelib.store.chats.info import Member, Other, Relation, Role


def add(action: Action) -> Decision | None:
    """Make the target a member, or invite them.

    Users who do not let the acting user add them, or who have left the chat, are invited.
    Raises what `invite` raises, and TooManyChats.
    """
    check_manager(action.chat, action.actor)
    if isinstance(action.target, Member):
        return None
    _check_may_be_added(action)
    if _needs_invitation(action):
        return invite(action)
    check_large_chats(action)
    return Decision((MemberChange(action.to, Role.MEMBER),), event("added", [action.to]))


def invite(action: Action) -> Decision | None:
    """Let the target join when they like.

    Raises Banned, NotAMember, Forbidden, UserNotFound, Blocked, InvitationsFull.
    """
    check_manager(action.chat, action.actor)
    if isinstance(action.target, Member) or has_relation(action.target, Relation.INVITED):
        return None
    _check_may_be_added(action)
    if not action.invitee.can_be_invited_by_actor:
        raise InvitationsFull(
            f"{MAX_INVITATIONS_BY_ONE} invitations of yours are waiting for {action.to}, "
            "the most one user can send. Withdraw one, or wait until they answer."
        )
    if not action.invitee.can_be_invited:
        raise InvitationsFull(
            f"{action.to} has the maximum number of waiting invitations. They must answer some first."
        )
    return Decision((MemberChange(action.to, Relation.INVITED, inviter=action.by),))


def end_invitation(action: Action) -> Decision | None:
    """Withdraw an invitation, or decline one's own: after that the chat cannot invite the user again."""
    if action.by == action.to and has_relation(action.target, Relation.INVITED):
        return Decision((MemberChange(action.to, Relation.LEFT, refused=True),))
    return _end(action, Relation.INVITED)


def end_join_request(action: Action) -> Decision | None:
    """Refuse a request to join, or withdraw one's own."""
    return _end(action, Relation.REQUESTED)


def _end(action: Action, relation: Relation) -> Decision | None:
    if action.by != action.to:
        check_manager(action.chat, action.actor)
    return former(action.to, action.target) if has_relation(action.target, relation) else None


def _check_may_be_added(action: Action) -> None:
    """Return if the target may be added or invited; raises UserNotFound, Banned, Blocked, Forbidden."""
    if not action.invitee.exists or has_relation(action.target, Relation.DELETED):
        raise no_user(action.to)
    if has_relation(action.target, Relation.BANNED):
        raise Banned(f"{action.to} is banned from {action.chat}. Lift the ban first.")
    if has_relation(action.target, Relation.REQUESTED):
        return
    check_not_blocked(action.to, by_other=action.invitee.blocks)
    if isinstance(action.target, Other) and action.target.refused:
        raise Forbidden(f"{action.to} has declined an invitation to {action.chat}. They can ask to join it.")


def _needs_invitation(action: Action) -> bool:
    """Return whether the target is to be invited instead of being made a member at once."""
    target, invitee = action.target, action.invitee
    if has_relation(target, Relation.REQUESTED):
        return False
    was_member = has_relation(target, Relation.INVITED) and isinstance(target, Other) and target.upto > 0
    too_large = action.info.large and not invitee.can_join_large_chat
    return has_relation(target, Relation.LEFT) or was_member or too_large or not invitee.accepts_being_added
