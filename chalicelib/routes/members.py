"""The people of groups and rooms: members, the invited, those who ask to be let in, and the banned."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, no_content, reply, route
from chalicelib.schemas.chats import Added, MemberChange, MemberPage, OtherPage, PeopleQuery
from chalicelib.services.chats import rules
from chalicelib.services.chats.member_update import rule_of
from chalicelib.store.chats.info import Relation

blueprint = Blueprint(__name__)

CHAT = "/v1/chats/{chat}"
MEMBERS, INVITATIONS = CHAT + "/members", CHAT + "/invitations"
REQUESTS, BANNED = CHAT + "/requests", CHAT + "/banned"
JUDGED_LATER: dict[str, Any] = {"caller": True, "judged_later": True}
READING = (errors.BadRequest, errors.ChatNotFound, errors.NotAMember, errors.Banned)
MANAGING = (*READING, errors.Forbidden)
WRITING = (*MANAGING, errors.StoreFull)
BRINGING = (*WRITING, errors.UserNotFound, errors.Blocked, errors.ChatFull, errors.TooManyChats)


@route(blueprint, "GET", MEMBERS, {200: MemberPage}, query=PeopleQuery, fails=READING, **JUDGED_LATER)
def members(call: Call, chat: str) -> Response:
    """List the members, by handle, to members; those of a room to anybody who is not banned from it."""
    caller, query = call.claimed, call.query(PeopleQuery)
    return reply(call.services.members.members(caller, chat, query.cursor, query.limit))


@route(
    blueprint,
    "PUT",
    MEMBERS + "/{handle}",
    {204: None, 202: Added},
    fails=(*BRINGING, errors.InvitationsFull),
    **JUDGED_LATER,
    media_type=ANY_MEDIA_TYPE,
)
def add(call: Call, chat: str, handle: str) -> Response:
    """Make somebody a member, as an admin or owner; again is no change.

    It also accepts a request to join. A user who does not let the caller add them (`who_may_add_me`), or has
    left the chat, is invited instead: the answer is 202.
    """
    added = call.services.membership.add(call.claimed, chat, handle)
    return no_content() if added.state == "member" else reply(added, 202)


@route(
    blueprint,
    "PATCH",
    MEMBERS + "/{handle}",
    {204: None},
    body=MemberChange,
    example={"role": "admin"},
    fails=(*WRITING, errors.UserNotFound),
    **JUDGED_LATER,
)
def change(call: Call, chat: str, handle: str) -> Response:
    """Change a member's role, as an owner, or mute a member of a lower role, as an admin or owner."""
    caller, rule = call.claimed, rule_of(call.body(MemberChange))
    call.services.membership.apply(caller, chat, handle, rule)
    return no_content()


@route(
    blueprint,
    "DELETE",
    MEMBERS + "/{handle}",
    {204: None},
    fails=(*WRITING, errors.LastOwner),
    **JUDGED_LATER,
)
def remove(call: Call, chat: str, handle: str) -> Response:
    """Remove a member of a lower role, as an admin or owner, or leave; again is no change."""
    call.services.membership.apply(call.claimed, chat, handle, rules.remove)
    return no_content()


@route(blueprint, "GET", INVITATIONS, {200: OtherPage}, query=PeopleQuery, fails=MANAGING, **JUDGED_LATER)
def invitations(call: Call, chat: str) -> Response:
    """List who is invited, by handle, to admins and owners."""
    return _others(call, chat, Relation.INVITED)


@route(
    blueprint,
    "PUT",
    INVITATIONS + "/{handle}",
    {204: None},
    fails=(*BRINGING, errors.InvitationsFull),
    **JUDGED_LATER,
    media_type=ANY_MEDIA_TYPE,
)
def invite(call: Call, chat: str, handle: str) -> Response:
    """Invite somebody, as an admin or owner, who may join whatever the policy is; again is no change.

    A user who has refused an invitation to the chat cannot be invited to it again, but may ask to join.
    """
    call.services.membership.apply(call.claimed, chat, handle, rules.invite)
    return no_content()


@route(blueprint, "DELETE", INVITATIONS + "/{handle}", {204: None}, fails=WRITING, **JUDGED_LATER)
def uninvite(call: Call, chat: str, handle: str) -> Response:
    """Take an invitation back, as an admin or owner, or decline one's own; again is no change."""
    call.services.membership.apply(call.claimed, chat, handle, rules.uninvite)
    return no_content()


@route(blueprint, "GET", REQUESTS, {200: OtherPage}, query=PeopleQuery, fails=MANAGING, **JUDGED_LATER)
def requests(call: Call, chat: str) -> Response:
    """List who asks to be let in, by handle, to admins and owners."""
    return _others(call, chat, Relation.REQUESTED)


@route(blueprint, "DELETE", REQUESTS + "/{handle}", {204: None}, fails=WRITING, **JUDGED_LATER)
def refuse(call: Call, chat: str, handle: str) -> Response:
    """Refuse to let somebody in, as an admin or owner, or ask no more oneself; again is no change."""
    call.services.membership.apply(call.claimed, chat, handle, rules.refuse)
    return no_content()


@route(blueprint, "GET", BANNED, {200: OtherPage}, query=PeopleQuery, fails=MANAGING, **JUDGED_LATER)
def banned(call: Call, chat: str) -> Response:
    """List who is banned, by handle, to admins and owners."""
    return _others(call, chat, Relation.BANNED)


@route(
    blueprint,
    "PUT",
    BANNED + "/{handle}",
    {204: None},
    fails=BRINGING,
    **JUDGED_LATER,
    media_type=ANY_MEDIA_TYPE,
)
def ban(call: Call, chat: str, handle: str) -> Response:
    """Ban somebody of a lower role, or who is no member, as an admin or owner; again is no change.

    Who is banned is no member any more, cannot become one, and reads nothing.
    """
    call.services.membership.apply(call.claimed, chat, handle, rules.ban)
    return no_content()


@route(blueprint, "DELETE", BANNED + "/{handle}", {204: None}, fails=WRITING, **JUDGED_LATER)
def unban(call: Call, chat: str, handle: str) -> Response:
    """Ban somebody no more, as an admin or owner; again is no change."""
    call.services.membership.apply(call.claimed, chat, handle, rules.unban)
    return no_content()


def _others(call: Call, chat: str, relation: Relation) -> Response:
    caller, query = call.claimed, call.query(PeopleQuery)
    return reply(call.services.members.others(caller, chat, relation, query.cursor, query.limit))
