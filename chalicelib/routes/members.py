"""The people of groups and rooms: members, the invited, those who ask to be let in, and the banned."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, Who, no_content, reply, route
from chalicelib.schemas.chats import Added, MemberChange, MemberPage, OtherPage, PeopleQuery
from chalicelib.services.auth.caller import Caller
from chalicelib.services.chats.member_update import rule_of
from chalicelib.services.chats.rules import inviting, moderation
from chalicelib.store.chats.info import Relation

blueprint = Blueprint(__name__)

CHAT = "/v1/chats/{chat}"
MEMBERS, INVITATIONS = CHAT + "/members", CHAT + "/invitations"
REQUESTS, BANNED = CHAT + "/requests", CHAT + "/banned"
READING = (errors.BadRequest, errors.ChatNotFound, errors.NotAMember, errors.Banned)
MANAGING = (*READING, errors.Forbidden)
WRITING = (*MANAGING, errors.StoreFull)
BRINGING = (*WRITING, errors.UserNotFound, errors.Blocked, errors.ChatFull, errors.TooManyChats)


@route(
    blueprint, Who.CALLER_IN_ROUND_TRIP, "GET", MEMBERS, {200: MemberPage}, query=PeopleQuery, fails=READING
)
def members(call: Call, caller: Caller, chat: str) -> Response:
    """List the members, by handle, to members; those of a room to anybody who is not banned from it."""
    query = call.query(PeopleQuery)
    return reply(call.services.members.members(caller, chat, query.cursor, query.limit))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "PUT",
    MEMBERS + "/{handle}",
    {204: None, 202: Added},
    fails=(*BRINGING, errors.InvitationsFull),
    media_type=ANY_MEDIA_TYPE,
)
def add(call: Call, caller: Caller, chat: str, handle: str) -> Response:
    """Make somebody a member, as an admin or owner; again is no change.

    It also accepts a request to join. A user who does not let the caller add them (`who_may_add_me`), or has
    left the chat, is invited instead: the answer is 202.
    """
    added = call.services.membership.add(caller, chat, handle)
    return no_content() if added.state == "member" else reply(added, 202)


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "PATCH",
    MEMBERS + "/{handle}",
    {204: None},
    body=MemberChange,
    example={"role": "admin"},
    fails=(*WRITING, errors.UserNotFound),
)
def change(call: Call, caller: Caller, chat: str, handle: str) -> Response:
    """Change a member's role, as an owner, or mute a member of a lower role, as an admin or owner."""
    rule = rule_of(call.body(MemberChange))
    call.services.membership.apply(caller, chat, handle, rule)
    return no_content()


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "DELETE",
    MEMBERS + "/{handle}",
    {204: None},
    fails=(*WRITING, errors.LastOwner),
)
def remove(call: Call, caller: Caller, chat: str, handle: str) -> Response:
    """Remove a member of a lower role, as an admin or owner, or leave; again is no change."""
    call.services.membership.apply(caller, chat, handle, moderation.remove)
    return no_content()


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    INVITATIONS,
    {200: OtherPage},
    query=PeopleQuery,
    fails=MANAGING,
)
def invitations(call: Call, caller: Caller, chat: str) -> Response:
    """List who is invited, by handle, to admins and owners."""
    return _others(call, caller, chat, Relation.INVITED)


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "PUT",
    INVITATIONS + "/{handle}",
    {204: None},
    fails=(*BRINGING, errors.InvitationsFull),
    media_type=ANY_MEDIA_TYPE,
)
def invite(call: Call, caller: Caller, chat: str, handle: str) -> Response:
    """Invite somebody, as an admin or owner, who may join whatever the policy is; again is no change.

    A user who has refused an invitation to the chat cannot be invited to it again, but may ask to join.
    """
    call.services.membership.apply(caller, chat, handle, inviting.invite)
    return no_content()


@route(blueprint, Who.CALLER_IN_ROUND_TRIP, "DELETE", INVITATIONS + "/{handle}", {204: None}, fails=WRITING)
def uninvite(call: Call, caller: Caller, chat: str, handle: str) -> Response:
    """Take an invitation back, as an admin or owner, or decline one's own; again is no change."""
    call.services.membership.apply(caller, chat, handle, inviting.end_invitation)
    return no_content()


@route(
    blueprint, Who.CALLER_IN_ROUND_TRIP, "GET", REQUESTS, {200: OtherPage}, query=PeopleQuery, fails=MANAGING
)
def requests(call: Call, caller: Caller, chat: str) -> Response:
    """List who asks to be let in, by handle, to admins and owners."""
    return _others(call, caller, chat, Relation.REQUESTED)


@route(blueprint, Who.CALLER_IN_ROUND_TRIP, "DELETE", REQUESTS + "/{handle}", {204: None}, fails=WRITING)
def refuse(call: Call, caller: Caller, chat: str, handle: str) -> Response:
    """Refuse to let somebody in, as an admin or owner, or ask no more oneself; again is no change."""
    call.services.membership.apply(caller, chat, handle, inviting.end_join_request)
    return no_content()


@route(
    blueprint, Who.CALLER_IN_ROUND_TRIP, "GET", BANNED, {200: OtherPage}, query=PeopleQuery, fails=MANAGING
)
def banned(call: Call, caller: Caller, chat: str) -> Response:
    """List who is banned, by handle, to admins and owners."""
    return _others(call, caller, chat, Relation.BANNED)


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "PUT",
    BANNED + "/{handle}",
    {204: None},
    fails=BRINGING,
    media_type=ANY_MEDIA_TYPE,
)
def ban(call: Call, caller: Caller, chat: str, handle: str) -> Response:
    """Ban somebody of a lower role, or who is no member, as an admin or owner; again is no change.

    Who is banned is no member any more, cannot become one, and reads nothing.
    """
    call.services.membership.apply(caller, chat, handle, moderation.ban)
    return no_content()


@route(blueprint, Who.CALLER_IN_ROUND_TRIP, "DELETE", BANNED + "/{handle}", {204: None}, fails=WRITING)
def unban(call: Call, caller: Caller, chat: str, handle: str) -> Response:
    """Ban somebody no more, as an admin or owner; again is no change."""
    call.services.membership.apply(caller, chat, handle, moderation.unban)
    return no_content()


def _others(call: Call, caller: Caller, chat: str, relation: Relation) -> Response:
    query = call.query(PeopleQuery)
    return reply(call.services.members.others(caller, chat, relation, query.cursor, query.limit))
