"""Chats: make, read, change, join and leave them."""

from __future__ import annotations

from urllib.parse import quote

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, Response, Who, no_content, reply, route
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
    """Make a group or room, or put a direct chat into the inbox before anybody writes.

    The status is 200 if the chat exists: a direct chat, or a group that the caller made with the same `id`.
    A room is open to everybody and listed, and its id is never given again. Users in `members` who do not
    let the caller add them (`who_may_add_me`) are invited instead; `invited` names them.
    """
    request = call.body(NewChat)
    chat, is_new = call.services.chats.create(caller, request)
    location = {"Location": f"{call.path}/{quote(chat.chat, safe=':')}"}
    return reply(chat, 201 if is_new else 200, location)


@route(blueprint, Who.CALLER_IN_ROUND_TRIP, "GET", CHAT, {200: Chat}, fails=READING)
def read(call: Call, caller: Caller, chat: str) -> Response:
    """Read a chat: its row of the inbox, and the settings of a group or room.

    Users who are not members may read a group that they can join or ask to join.
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
    fails=(*WRITING, errors.UserNotFound, errors.Blocked),
)
def change(call: Call, caller: Caller, chat: str) -> Response:
    """Change the name, notice, picture and settings of a group or room; for admins and owners.

    An absent field stays as it is; null clears a field. Of a direct chat, both users can change `expires_in`.
    """
    changes = call.body(ChatChanges)
    return reply(call.services.chats.change(caller, chat, changes))


@route(blueprint, Who.CALLER_IN_ROUND_TRIP, "DELETE", CHAT, {204: None}, fails=WRITING)
def delete(call: Call, caller: Caller, chat: str) -> Response:
    """Delete a group or room for everybody, for owners; leave a direct chat."""
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
    """Join a group or room, or ask to join it; repeating it changes nothing.

    An invited user becomes a member whatever the chat's `join` is.
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
    """Leave a chat; repeating it changes nothing.

    A former member of a group or room may still read older messages. A direct chat leaves the caller's inbox
    until somebody writes, and its messages so far stay hidden from the caller. The last owner must hand the
    chat over or delete it.
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
    """Make a member an owner in the caller's place; the caller becomes an admin. For owners."""
    other = call.body(NewOwner).handle
    call.services.membership.apply(caller, chat, other, roles.transfer_ownership)
    return no_content()
