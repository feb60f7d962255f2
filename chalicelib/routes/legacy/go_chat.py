"""Rooms, as the platform that Parley replaces had them; on /v1 a room is a chat."""

from __future__ import annotations

from chalice.app import Blueprint, Response

from chalicelib import errors
from chalicelib.http import Call, reply, route
from chalicelib.schemas.chats import ClassicClient, ClassicJoined, ClassicRoom

blueprint = Blueprint(__name__)

REFUSALS = (errors.BadRequest, errors.ChatNotFound, errors.Banned)


@route(
    blueprint,
    "POST",
    "/ws/createRoom",
    {200: ClassicRoom},
    body=ClassicRoom,
    example={"id": "lobby", "name": "Lobby"},
    fails=(errors.BadRequest, errors.AlreadyTaken, errors.ChatNotFound, errors.StoreFull),
    caller=True,
    judged_later=True,
)
def make(call: Call) -> Response:
    """Make a room, which is the chat `r-<id>`; an id is given once."""
    caller, room = call.claimed, call.body(ClassicRoom)
    return reply(call.services.rooms.make(caller, room))


@route(
    blueprint,
    "GET",
    "/ws/joinRoom/{room}",
    {200: ClassicJoined},
    fails=(*REFUSALS, errors.ChatFull, errors.TooManyChats, errors.StoreFull),
    caller=True,
    judged_later=True,
    rate="write",
)
def join(call: Call, room: str) -> Response:
    """Join a room; again is no change. `url` opens a socket that is in the room, once, within 30 seconds."""
    caller = call.claimed
    return reply(call.services.rooms.join(caller, room, call.session_digest))


@route(blueprint, "GET", "/ws/getRooms", {200: list[ClassicRoom]}, caller=True, rate="search")
def rooms(call: Call) -> Response:
    """List the newest 100 rooms; /v1/rooms lists all."""
    return reply(call.services.rooms.all())


@route(
    blueprint,
    "GET",
    "/ws/getClients/{room}",
    {200: list[ClassicClient]},
    fails=REFUSALS,
    caller=True,
    judged_later=True,
)
def clients(call: Call, room: str) -> Response:
    """List the members of a room."""
    return reply(call.services.rooms.clients(call.claimed, room))
