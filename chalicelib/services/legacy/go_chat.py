"""Go-Chat's rooms, named by the chosen id without `r-`."""

from __future__ import annotations

from chalicelib.schemas.chats import NewChat
from chalicelib.schemas.legacy.go_chat import GoChatJoinedRoom, GoChatMember, GoChatRoom
from chalicelib.services.auth.caller import Caller
from chalicelib.services.chats.details import ChatDetails
from chalicelib.services.chats.members import Members
from chalicelib.services.chats.membership import Membership
from chalicelib.services.chats.service import ChatService
from chalicelib.services.realtime.tickets import Tickets, opening
from chalicelib.services.search.chats import ChatSearch
from chalicelib.services.values.chat_id import ROOM_PREFIX

MAX_LISTED = 100


class GoChatRooms:
    """Makes, joins and lists rooms for Go-Chat's paths; room: an id without `r-`, in any case."""

    def __init__(
        self,
        groups: ChatService,
        views: ChatDetails,
        membership: Membership,
        lists: Members,
        search: ChatSearch,
        tickets: Tickets,
    ) -> None:
        self._groups = groups
        self._views = views
        self._membership = membership
        self._lists = lists
        self._search = search
        self._tickets = tickets

    def make(self, caller: Caller, request: GoChatRoom) -> GoChatRoom:
        """Make a room; raises BadRequest, AlreadyTaken."""
        chat, _ = self._groups.create(caller, NewChat(kind="room", id=request.id, name=request.name))
        return GoChatRoom(_bare(chat.chat), chat.name or "")

    def join(self, caller: Caller, room: str) -> GoChatJoinedRoom:
        """Join a room; again is no change.

        Raises ChatNotFound, Banned, ChatFull.
        """
        chat = self._membership.join(caller, ROOM_PREFIX + room).chat
        name = self._views.after_change(chat, caller.handle).name or ""
        url = opening(self._tickets.issue(caller, room)) if self._tickets.are_available else None
        return GoChatJoinedRoom(_bare(chat), name, chat, url)

    def all(self) -> list[GoChatRoom]:
        """Return the newest rooms, at most MAX_LISTED."""
        rooms = self._search.rooms(MAX_LISTED, None).chats
        return [GoChatRoom(_bare(room.chat), room.name) for room in rooms]

    def clients(self, caller: Caller, room: str) -> list[GoChatMember]:
        """Return the members of a room; raises ChatNotFound, Banned."""
        return self._lists.clients(caller, ROOM_PREFIX + room)


def _bare(chat: str) -> str:
    return chat.removeprefix(ROOM_PREFIX)
