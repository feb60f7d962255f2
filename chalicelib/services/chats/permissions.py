"""What a user may see and do in a group or room, by their record in it."""

from __future__ import annotations

from chalicelib.errors import Banned, Forbidden, UserNotFound, not_a_member
from chalicelib.store.chats.info import Member, Other, Relation, Role

Record = Member | Other | None
"""A user's record in a chat; None for a user whom the chat does not know."""


def check_member(chat: str, record: Record) -> Member:
    """Return a member's record; raises Banned, NotAMember."""
    if isinstance(record, Member):
        return record
    raise banned(chat) if has_relation(record, Relation.BANNED) else not_a_member(chat)


def check_manager(chat: str, record: Record, least: Role = Role.ADMIN) -> Member:
    """Return the record of a member with a role of at least `least`; raises Banned, NotAMember, Forbidden."""
    member = check_member(chat, record)
    if member.role < least:
        who = "an owner" if least == Role.OWNER else "an admin or an owner"
        raise Forbidden(f"Only {who} of {chat} may do this.")
    return member


def check_target(chat: str, handle: str, record: Record) -> Member:
    """Return the record of the member that an action is on; raises UserNotFound."""
    if not isinstance(record, Member):
        raise UserNotFound(f"{handle} is not a member of chat {chat}.")
    return record


def check_below(target: Member, actor: Member) -> None:
    """Raise Forbidden unless the target's role is lower than the acting member's."""
    if target.role >= actor.role:
        role = target.role.name.lower()
        raise Forbidden(f"{target.handle} is an {role}; you can do this only to members with a lower role.")


def check_sees_members(chat: str, record: Record, *, is_room: bool) -> None:
    """Return if a user may list a chat's members; a room's may be listed by everybody who is not banned.

    Raises Banned, NotAMember.
    """
    if not is_room or has_relation(record, Relation.BANNED):
        check_member(chat, record)


def banned(chat: str) -> Banned:
    """Return the error for a user who is banned from a chat."""
    return Banned(f"You are banned from chat {chat}.")


def has_relation(record: Record, *relations: Relation) -> bool:
    """Return whether a user is not a member, and has one of some relations to the chat."""
    return isinstance(record, Other) and record.relation in relations
