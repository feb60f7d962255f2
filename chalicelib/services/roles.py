"""The rules of groups and rooms: who may do what, and what comes of it. Pure: nothing here asks the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from chalicelib.errors import (
    Banned,
    Blocked,
    Forbidden,
    NotAMember,
    ParleyError,
    UserNotFound,
    bad_field,
    no_user,
)
from chalicelib.services.chat_ids import ROOM_PREFIX
from chalicelib.services.events import Stored, event
from chalicelib.store.accounts import Peer, Standing
from chalicelib.store.chat_info import Info, Member, Other, Relation, Role
from chalicelib.store.chats import Become

Record = Member | Other | None

ROLES = {"member": Role.MEMBER, "admin": Role.ADMIN, "owner": Role.OWNER}


class Case(NamedTuple):
    """Somebody who does something in a group or room, to somebody who may be themselves.

    by, to: their handles. actor, target: how they stand to the chat; None: not at all. exists: whether there
    may be somebody of the target's handle. blocks: whether the target has blocked the actor.
    """

    chat: str
    info: Info
    by: str
    to: str
    actor: Record
    target: Record
    exists: bool = True
    blocks: bool = False


class Decision(NamedTuple):
    """What comes of an action: what becomes of whom, and what the log says of it; None: nothing.

    info: fields of Info and their new values.
    """

    becomes: tuple[Become, ...]
    event: Stored | None = None
    info: Mapping[str, str | bool] | None = None


Rule = Callable[[Case], Decision | None]
"""Decides on a case; None: it is as it should be already. Raises what refuses it."""


def check_member(chat: str, record: Record) -> Member:
    """Return a member's record; raises Banned, NotAMember."""
    if isinstance(record, Member):
        return record
    raise banned(chat) if _is(record, Relation.BANNED) else not_a_member(chat)


def check_manager(chat: str, record: Record, least: Role = Role.ADMIN) -> Member:
    """Return the record of a member of a role, or a higher one; raises Banned, NotAMember, Forbidden."""
    member = check_member(chat, record)
    if member.role < least:
        who = "an owner" if least == Role.OWNER else "an admin or an owner"
        raise Forbidden(f"Only {who} of {chat} may do this.")
    return member


def check_sees_members(chat: str, record: Record, *, is_room: bool) -> None:
    """Return if somebody may see who is in a chat: a member, or in a room who may become one.

    Raises Banned, NotAMember.
    """
    if not is_room or _is(record, Relation.BANNED):
        check_member(chat, record)


def change_info(case: Case, fields: Mapping[str, str | bool]) -> Decision | None:
    """Change what a chat is; fields: of Info, and what they are to be."""
    check_manager(case.chat, case.actor)
    if case.chat.startswith(ROOM_PREFIX) and fields.get("join", "open") != "open":
        raise bad_field("join", "a room is open to everybody")
    changed = {name: value for name, value in fields.items() if value != getattr(case.info, name)}
    return Decision((), event("changed", (), **changed), changed) if changed else None


def join(case: Case) -> Decision | None:
    """Become a member, or ask to."""
    actor, policy = case.actor, case.info.join
    if isinstance(actor, Member):
        return None
    if _is(actor, Relation.BANNED):
        raise banned(case.chat)
    if policy == "open" or _is(actor, Relation.INVITED):
        return Decision((Become(case.by, Role.MEMBER),), event("joined"))
    if _is(actor, Relation.REQUESTED):
        return None
    if policy == "request":
        return Decision((Become(case.by, Relation.REQUESTED),))
    raise Forbidden(f"Only who is invited can join {case.chat}.")


def leave(case: Case) -> Decision | None:
    """Be a member no more; the store refuses the last owner."""
    if _is(case.actor, Relation.LEFT):
        return None
    check_member(case.chat, case.actor)
    return Decision((Become(case.by, Relation.LEFT),), event("left"))


def add(case: Case) -> Decision | None:
    """Make somebody a member, whether they have asked for it or not."""
    check_manager(case.chat, case.actor)
    if isinstance(case.target, Member):
        return None
    _check_welcome(case)
    return Decision((Become(case.to, Role.MEMBER),), event("added", [case.to]))


def invite(case: Case) -> Decision | None:
    """Let somebody join when they like."""
    check_manager(case.chat, case.actor)
    if isinstance(case.target, Member) or _is(case.target, Relation.INVITED):
        return None
    _check_welcome(case)
    return Decision((Become(case.to, Relation.INVITED),))


def uninvite(case: Case) -> Decision | None:
    """Take an invitation back, or decline one's own."""
    return _ended(case, Relation.INVITED)


def refuse(case: Case) -> Decision | None:
    """Refuse a request to join, or take one's own back."""
    return _ended(case, Relation.REQUESTED)


def unban(case: Case) -> Decision | None:
    """Ban somebody no more."""
    check_manager(case.chat, case.actor)
    return _outside(case.to, case.target) if _is(case.target, Relation.BANNED) else None


def remove(case: Case) -> Decision | None:
    """Make somebody a member no more; oneself: leave."""
    if case.by == case.to:
        return leave(case)
    actor = check_manager(case.chat, case.actor)
    if not isinstance(case.target, Member):
        return None
    _check_below(case.target, actor)
    return Decision((Become(case.to, Relation.LEFT),), event("removed", [case.to]))


def ban(case: Case) -> Decision | None:
    """Make somebody a member no more, nor again."""
    actor = check_manager(case.chat, case.actor)
    if case.by == case.to:
        raise bad_field("handle", "this is you")
    if _is(case.target, Relation.BANNED):
        return None
    if not case.exists or _is(case.target, Relation.DELETED):
        raise no_user(case.to)
    if not isinstance(case.target, Member):
        return Decision((Become(case.to, Relation.BANNED),))
    _check_below(case.target, actor)
    return Decision((Become(case.to, Relation.BANNED),), event("banned", [case.to]))


def change_role(case: Case, name: str) -> Decision | None:
    """Give a member another role (see ROLES); more than one may be owner."""
    actor, role = check_manager(case.chat, case.actor, Role.OWNER), ROLES[name]
    if case.by == case.to:
        raise bad_field("handle", "this is you: hand the chat over to somebody else instead")
    target = _check_target(case)
    if target.role == role:
        return None
    _check_below(target, actor)
    muted = 0 if role == Role.OWNER else target.muted_until
    return Decision((Become(case.to, role, muted),), event("role", [case.to], role=name))


def mute(case: Case, until: int) -> Decision | None:
    """Let a member not write until a time, µs since 1970; 0: let them write again."""
    actor, target = check_manager(case.chat, case.actor), _check_target(case)
    _check_below(target, actor)
    if target.muted_until == until:
        return None
    told = event("muted", [case.to], until=until) if until else event("unmuted", [case.to])
    return Decision((Become(case.to, target.role, until),), told)


def hand_over(case: Case) -> Decision | None:
    """Make a member an owner in one's own place, and oneself an admin."""
    check_manager(case.chat, case.actor, Role.OWNER)
    if case.by == case.to:
        raise bad_field("handle", "this is you")
    _check_target(case)
    becomes = (Become(case.to, Role.OWNER), Become(case.by, Role.ADMIN))
    return Decision(becomes, event("handed_over", [case.to]))


def depart(case: Case) -> Decision | None:
    """Be deleted: the target, if that is another member, becomes the owner in one's place."""
    if not isinstance(case.actor, Member):
        was_member = isinstance(case.actor, Other) and case.actor.upto > 0
        gone = case.actor is None or _is(case.actor, Relation.DELETED)
        return None if gone else Decision((Become(case.by, Relation.DELETED if was_member else None),))
    becomes = (Become(case.by, Relation.DELETED),)
    if case.to == case.by:
        return Decision(becomes, event("account_deleted"))
    _check_target(case)
    told = event("account_deleted", [case.to], role="owner")
    return Decision((*becomes, Become(case.to, Role.OWNER)), told)


def may_come(peer: Peer, *, strict: bool) -> bool:
    """Return whether somebody may be brought in; strict: whether they need an account."""
    return peer.standing is Standing.ACTIVE or (peer.standing is Standing.NONE and not strict)


def not_a_member(chat: str) -> NotAMember:
    """Return a NotAMember that names the chat."""
    return NotAMember(f"You are not a member of chat {chat}.")


def banned(chat: str) -> Banned:
    """Return a Banned that names the chat."""
    return Banned(f"You are banned from chat {chat}.")


def _is(record: Record, *relations: Relation) -> bool:
    return isinstance(record, Other) and record.relation in relations


def _outside(handle: str, record: Record) -> Decision:
    """Return the decision that somebody is what they were before: a former member, or nobody to the chat."""
    was_member = isinstance(record, Other) and record.upto > 0
    return Decision((Become(handle, Relation.LEFT if was_member else None),))


def _ended(case: Case, relation: Relation) -> Decision | None:
    if case.by != case.to:
        check_manager(case.chat, case.actor)
    return _outside(case.to, case.target) if _is(case.target, relation) else None


def _check_welcome(case: Case) -> None:
    """Return if somebody may be brought in; raises UserNotFound, Banned, Blocked."""
    refusal: ParleyError | None = None
    if not case.exists or _is(case.target, Relation.DELETED):
        refusal = no_user(case.to)
    elif _is(case.target, Relation.BANNED):
        refusal = Banned(f"{case.to} is banned from {case.chat}. Lift the ban first.")
    elif case.blocks and not _is(case.target, Relation.REQUESTED):
        refusal = Blocked(f"{case.to} has blocked you.")
    if refusal is not None:
        raise refusal


def _check_target(case: Case) -> Member:
    if not isinstance(case.target, Member):
        raise UserNotFound(f"{case.to} is no member of chat {case.chat}.")
    return case.target


def _check_below(target: Member, actor: Member) -> None:
    if target.role >= actor.role:
        raise Forbidden(f"{target.handle} is {target.role.name.lower()}, and only who is more may do this.")
