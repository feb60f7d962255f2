"""Members of groups and rooms, invitations, requests to join, and bans."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, Response, Who, no_content, reply, route
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
    """List the members by handle; for members, and in a room for everybody who is not banned."""
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
    """Add a member, or accept a request to join; for admins and owners.

    Repeating it changes nothing. A user who does not let the caller add them (`who_may_add_me`), or who
    has left the chat, is invited instead; the status is then 202.
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
    """Change a member's role, or mute a member.

    Owners change roles; admins and owners mute members with a lower role.
    """
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
    """Remove a member, or leave.

    Admins and owners remove members with a lower role. Repeating it changes nothing.
    """
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
    """List the invited users by handle; for admins and owners."""
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
    """Invite a user; for admins and owners.

    An invited user may join whatever the chat's `join` is. Repeating it changes nothing. A user who has
    refused an invitation to the chat cannot be invited again, but may ask to join.
    """
    call.services.membership.apply(caller, chat, handle, inviting.invite)
    return no_content()


@route(blueprint, Who.CALLER_IN_ROUND_TRIP, "DELETE", INVITATIONS + "/{handle}", {204: None}, fails=WRITING)
def uninvite(call: Call, caller: Caller, chat: str, handle: str) -> Response:
    """Withdraw an invitation, or decline your own.

    Admins and owners withdraw invitations. Repeating it changes nothing.
    """
    call.services.membership.apply(caller, chat, handle, inviting.end_invitation)
    return no_content()


@route(
    blueprint, Who.CALLER_IN_ROUND_TRIP, "GET", REQUESTS, {200: OtherPage}, query=PeopleQuery, fails=MANAGING
)
def requests(call: Call, caller: Caller, chat: str) -> Response:
    """List the users who ask to join, by handle; for admins and owners."""
    return _others(call, caller, chat, Relation.REQUESTED)


@route(blueprint, Who.CALLER_IN_ROUND_TRIP, "DELETE", REQUESTS + "/{handle}", {204: None}, fails=WRITING)
def refuse(call: Call, caller: Caller, chat: str, handle: str) -> Response:
    """Refuse a request to join, or withdraw your own.

    Admins and owners refuse requests. Repeating it changes nothing.
    """
    call.services.membership.apply(caller, chat, handle, inviting.end_join_request)
    return no_content()


@route(
    blueprint, Who.CALLER_IN_ROUND_TRIP, "GET", BANNED, {200: OtherPage}, query=PeopleQuery, fails=MANAGING
)
def banned(call: Call, caller: Caller, chat: str) -> Response:
    """List the banned users by handle; for admins and owners."""
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
    """Ban a member with a lower role, or a user who is not a member; for admins and owners.

    Repeating it changes nothing. A banned user is no longer a member, cannot join, and reads nothing.
    """
    call.services.membership.apply(caller, chat, handle, moderation.ban)
    return no_content()


@route(blueprint, Who.CALLER_IN_ROUND_TRIP, "DELETE", BANNED + "/{handle}", {204: None}, fails=WRITING)
def unban(call: Call, caller: Caller, chat: str, handle: str) -> Response:
    """Lift a ban, for admins and owners. Repeating it changes nothing."""
    call.services.membership.apply(caller, chat, handle, moderation.unban)
    return no_content()


def _others(call: Call, caller: Caller, chat: str, relation: Relation) -> Response:
    query = call.query(PeopleQuery)
    return reply(call.services.members.others(caller, chat, relation, query.cursor, query.limit))
