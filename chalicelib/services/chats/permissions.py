"""Who may look and act in groups and rooms, by how they stand to them."""

from __future__ import annotations

from chalicelib.errors import Banned, Forbidden, not_a_member
from chalicelib.store.chats.info import Member, Other, Relation, Role

Record = Member | Other | None
"""How somebody stands to a chat; None: not at all."""


def check_member(chat: str, record: Record) -> Member:
    """Return a member's record; raises Banned, NotAMember."""
    if isinstance(record, Member):
        return record
    raise banned(chat) if stands(record, Relation.BANNED) else not_a_member(chat)


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
    if not is_room or stands(record, Relation.BANNED):
        check_member(chat, record)


def banned(chat: str) -> Banned:
    """Return a Banned that names the chat."""
    return Banned(f"You are banned from chat {chat}.")


def stands(record: Record, *relations: Relation) -> bool:
    """Return whether somebody is no member and stands to a chat in one of some ways."""
    return isinstance(record, Other) and record.relation in relations
