"""Go-Chat's paths: accounts, follows and rooms; on /v1 a room is a chat."""

from __future__ import annotations

from chalice.app import Blueprint

from chalicelib import errors
from chalicelib.http import ANY_MEDIA_TYPE, Call, Response, Who, no_content, reply, route
from chalicelib.routes import accounts, sessions, social, users
from chalicelib.schemas.accounts import Entry
from chalicelib.schemas.legacy.go_chat import (
    GoChatFollow,
    GoChatJoinedRoom,
    GoChatLogin,
    GoChatMember,
    GoChatRegister,
    GoChatRoom,
    GoChatUnfollow,
)
from chalicelib.services.auth.caller import Caller
from chalicelib.store.accounts.accounts import Account

blueprint = Blueprint(__name__)

ROOM_REFUSALS = (errors.BadRequest, errors.ChatNotFound, errors.Banned)
PERSON = {"username": "alice", "password": accounts.PASSWORD, "email": "alice@example.org"}


@route(
    blueprint,
    Who.ANYBODY,
    "POST",
    "/register",
    {201: Entry},
    body=GoChatRegister,
    example=PERSON,
    fails=accounts.MAKING,
    rate="auth",
    slow=True,
)
def register(call: Call) -> Response:
    """Make an account and log in."""
    wanted = call.body(GoChatRegister)
    account = Account(handle=wanted.username, email=wanted.email)
    return accounts.registered(call, account, wanted.password, "username")


@route(
    blueprint,
    Who.ANYBODY,
    "POST",
    "/login",
    {200: Entry},
    body=GoChatLogin,
    example={"username": "alice", "password": accounts.PASSWORD},
    fails=accounts.ENTERING,
    rate="auth",
    slow=True,
)
def login(call: Call) -> Response:
    """Log in by username or email."""
    return accounts.logged_in(call, GoChatLogin)


@route(
    blueprint,
    Who.ACCOUNT,
    "POST",
    "/logout",
    {202: None},
    fails=sessions.REFUSALS,
    media_type=ANY_MEDIA_TYPE,
)
def logout(call: Call, caller: Caller) -> Response:
    """Log out: end the session of this token."""
    call.services.sessions.log_out(caller)
    return no_content(202)


@route(blueprint, Who.ACCOUNT, "DELETE", "/delete", {204: None}, fails=users.REFUSALS)
def delete(call: Call, caller: Caller) -> Response:
    """Delete your account."""
    call.services.deletion.delete(caller.handle)
    return no_content()


@route(
    blueprint,
    Who.ACCOUNT,
    "POST",
    "/follow",
    {200: dict},
    query=GoChatFollow,
    fails=(*social.MAKING, errors.Blocked),
    media_type=ANY_MEDIA_TYPE,
)
def follow(call: Call, caller: Caller) -> Response:
    """Follow a user."""
    name = call.query(GoChatFollow).to_follow_id
    call.services.follows.follow(caller.handle, name, "toFollowId")
    return reply({})


@route(
    blueprint,
    Who.ACCOUNT,
    "POST",
    "/unfollow",
    {200: dict},
    query=GoChatUnfollow,
    fails=social.ENDING,
    media_type=ANY_MEDIA_TYPE,
)
def unfollow(call: Call, caller: Caller) -> Response:
    """Stop following a user."""
    name = call.query(GoChatUnfollow).to_unfollow_id
    call.services.follows.unfollow(caller.handle, name, "toUnfollowId")
    return reply({})


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "POST",
    "/ws/createRoom",
    {200: GoChatRoom},
    body=GoChatRoom,
    example={"id": "lobby", "name": "Lobby"},
    fails=(errors.BadRequest, errors.AlreadyTaken, errors.ChatNotFound, errors.StoreFull),
)
def make(call: Call, caller: Caller) -> Response:
    """Make a room.

    On /v1 it is the chat `r-<id>`. An id is never given again.
    """
    room = call.body(GoChatRoom)
    return reply(call.services.go_chat.make(caller, room))


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    "/ws/joinRoom/{room}",
    {200: GoChatJoinedRoom},
    fails=(*ROOM_REFUSALS, errors.ChatFull, errors.TooManyChats, errors.StoreFull),
    rate="write",
)
def join(call: Call, caller: Caller, room: str) -> Response:
    """Join a room; repeating it changes nothing.

    `url` opens one WebSocket connection that is in the room, within 30 seconds.
    """
    return reply(call.services.go_chat.join(caller, room))


@route(blueprint, Who.CALLER, "GET", "/ws/getRooms", {200: list[GoChatRoom]}, rate="search")
def rooms(call: Call, caller: Caller) -> Response:
    """List the newest 100 rooms; /v1/rooms lists all."""
    return reply(call.services.go_chat.all())


@route(
    blueprint,
    Who.CALLER_IN_ROUND_TRIP,
    "GET",
    "/ws/getClients/{room}",
    {200: list[GoChatMember]},
    fails=ROOM_REFUSALS,
)
def clients(call: Call, caller: Caller, room: str) -> Response:
    """List the members of a room."""
    return reply(call.services.go_chat.clients(caller, room))
