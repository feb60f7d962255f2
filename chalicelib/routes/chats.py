"""Chats as a whole: making, reading, changing, joining and leaving them."""

from __future__ import annotations

from urllib.parse import quote

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, Who, no_content, reply, route
from chalicelib.schemas.chats import Chat, ChatChanges, Joined, NewChat, NewOwner
from chalicelib.services.auth.caller import Caller
from chalicelib.services.chats.rules import roles

blueprint = Blueprint(__name__)

CHATS = "/v1/chats"
CHAT = CHATS + "/{chat}"
READING = (errors.BadRequest, errors.ChatNotFound, errors.NotAMember, errors.Banned)
WRITING = (*READING, errors.Forbidden, errors.StoreFull)


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "POST",
    CHATS,
    {201: Chat, 200: Chat},
    body=NewChat,
    example={"kind": "group", "name": "Mad tea party", "members": []},
    fails=(
        errors.BadRequest,
        errors.UserNotFound,
        errors.Blocked,
        errors.AlreadyTaken,
        errors.InvitationsFull,
        errors.ChatNotFound,
        errors.StoreFull,
    ),
)
def make(call: Call, caller: Caller) -> Response:
    """Make a group or room, or have a direct chat in one's inbox before anybody writes.

    200 if it was there: a direct chat, or a group that the caller made with the same `id`. A room is open to
    anybody, is listed, and its id is never given again. Users in `members` who do not let the caller add
    them (`who_may_add_me`) are invited instead, and `invited` names them.
    """
    request = call.body(NewChat)
    chat, is_new = call.services.chats.create(caller, request)
    location = {"Location": f"{call.path}/{quote(chat.chat, safe=':')}"}
    return reply(chat, 201 if is_new else 200, location)


@route(blueprint, Who.CALLER_IN_ROUND_TRIP, "GET", CHAT, {200: Chat}, fails=READING)
def read(call: Call, caller: Caller, chat: str) -> Response:
    """Read a chat as the inbox shows it, and what a group or room is.

    Strangers may read what a group is that takes anybody, or who asks.
    """
    return reply(call.services.chat_details.read(caller, chat))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "PATCH",
    CHAT,
    {200: Chat},
    body=ChatChanges,
    example={"name": "Croquet", "notice": "Bring a flamingo.", "join": "request"},
    fails=WRITING,
)
def change(call: Call, caller: Caller, chat: str) -> Response:
    """Change what a group or room is, as an admin or owner.

    A field that is absent stays as it is, null clears it.
    """
    changes = call.body(ChatChanges)
    return reply(call.services.chats.change(caller, chat, changes))


@route(blueprint, Who.CALLER_IN_ROUND_TRIP, "DELETE", CHAT, {204: None}, fails=WRITING)
def delete(call: Call, caller: Caller, chat: str) -> Response:
    """End a group or room for everybody, as an owner; put a direct chat away, as leaving it does."""
    call.services.chats.delete(caller, chat)
    return no_content()


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "POST",
    CHAT + "/join",
    {200: Joined},
    fails=(*WRITING, errors.ChatFull, errors.TooManyChats),
    media_type=ANY_MEDIA_TYPE,
)
def join(call: Call, caller: Caller, chat: str) -> Response:
    """Become a member of a group or room, or ask to; again is no change.

    Who is invited becomes a member whatever the chat's policy is.
    """
    return reply(call.services.membership.join(caller, chat))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "POST",
    CHAT + "/leave",
    {204: None},
    fails=(*WRITING, errors.LastOwner),
    media_type=ANY_MEDIA_TYPE,
)
def leave(call: Call, caller: Caller, chat: str) -> Response:
    """Leave a chat; again is no change.

    Who has left a group or room may still read what was written before. A direct chat goes out of the
    caller's inbox until somebody writes, and what it holds by now is hidden from the caller for good. The
    last owner hands a group over, or deletes it.
    """
    call.services.chats.leave(caller, chat)
    return no_content()


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "POST",
    CHAT + "/owner",
    {204: None},
    body=NewOwner,
    example={"handle": "bob"},
    fails=(*WRITING, errors.UserNotFound),
)
def hand_over(call: Call, caller: Caller, chat: str) -> Response:
    """Make a member an owner in the caller's place; the caller, an owner, becomes an admin."""
    other = call.body(NewOwner).handle
    call.services.membership.apply(caller, chat, other, roles.transfer_ownership)
    return no_content()
