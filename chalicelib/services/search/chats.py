"""Finding groups and rooms: the search, the list of rooms, and what both are made of."""

from __future__ import annotations

from typing import NamedTuple, cast

from chalicelib.schemas.search import PublicChat, PublicChatPage
from chalicelib.schemas.system_events import Join
from chalicelib.services.search.users import PrefixSearch
from chalicelib.services.values.chat_id import ROOM_PREFIX, kind_of
from chalicelib.services.values.cursors import ROOM_CURSOR
from chalicelib.services.values.paging import page_of
from chalicelib.services.values.terms import cut, terms_of
from chalicelib.services.values.times import rfc3339
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.info import Info
from chalicelib.store.chats.room_list import RoomList
from chalicelib.store.chats.search_terms import ChatTerms
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.sorted_sets import ScoredMember
from chalicelib.store.search import SearchEntry, SearchIndex


class Said(NamedTuple):
    """What should be found of a chat; room: its place in the list of rooms, None: it has none."""

    terms: frozenset[str]
    room: ScoredMember | None


class ChatSearch:
    """Finds groups and rooms that take anybody or who asks; what is true of them is read in their own slots.

    index: of groups and rooms. terms: what it was given, by chat.
    """

    def __init__(
        self, store: Store, chats: Chats, index: SearchIndex, terms: ChatTerms, rooms: RoomList
    ) -> None:
        self._store = store
        self._chats = chats
        self._index = index
        self._terms = terms
        self._rooms = rooms
        self._search = PrefixSearch(index, self._infos, _terms)

    def groups(self, q: str, limit: int, cursor: str | None) -> PublicChatPage:
        """Return groups and rooms whose name from one of its words on, or whose id, begins with a text.

        See PrefixSearch.
        """
        found, after = self._search.page(q, limit, cursor)
        return PublicChatPage(chats=[shown(chat, info) for chat, info in found], next=after)

    def rooms(self, limit: int, cursor: str | None) -> PublicChatPage:
        """Return a page of all rooms, the newest first; it may be short and still not the last.

        limit: 1-100. Raises BadRequest.
        """
        below = None if cursor is None else ROOM_CURSOR.decode(cursor, "cursor")
        page = page_of(self._store.fetch(self._rooms.page(below, limit + 1)), limit, ROOM_CURSOR.encode)
        listed = [mark.member for mark in page.rows]
        there = self._infos(listed)
        self._heal([room for room in listed if room not in there])
        return PublicChatPage(
            chats=[shown(room, there[room]) for room in listed if room in there], next=page.next
        )

    def index(self, chat: str) -> None:
        """Make what a chat says of itself, and take away what it says no more; of a deleted one, all.

        chat: a group's or room's canonical id. What is made is noted first, so whatever a crash leaves behind
        the next call takes away.
        """
        made: frozenset[str] = frozenset()  # another call may have struck off what this one noted
        while True:  # as long as the chat changes meanwhile
            view, noted = self._store.fetch_both(self._chats.viewing(chat), self._terms.of(chat))
            said = _said_by(chat, view.info)
            if kind_of(chat) == "group" and not (said.terms or noted or made):
                return
            self._mirror(chat, said, noted, made)
            made |= said.terms
            if _said_by(chat, self._store.fetch(self._chats.viewing(chat)).info) == said:
                return

    def _mirror(self, chat: str, said: Said, noted: frozenset[str], made: frozenset[str]) -> None:
        self._terms.note(chat, said.terms - noted)
        self._index.add(SearchEntry(term, chat) for term in said.terms)
        if said.room is not None:
            self._rooms.add([said.room])
        elif kind_of(chat) == "room":
            self._rooms.remove([chat])
        gone = (noted | made) - said.terms
        self._index.remove(SearchEntry(term, chat) for term in gone)
        self._terms.strike(chat, gone)

    def _heal(self, gone: list[str]) -> None:
        """List rooms no more; put back those that have come to be there meanwhile."""
        if gone:
            self._rooms.remove(gone)
            self._rooms.add(ScoredMember(info.made, room) for room, info in self._infos(gone).items())

    def _infos(self, chats: list[str]) -> dict[str, Info]:
        views = self._store.fetch_all(map(self._chats.viewing, chats))
        return {chat: view.info for chat, view in zip(chats, views, strict=True) if view.info}


def shown(chat: str, info: Info) -> PublicChat:
    """Return a group or room as everybody may see it."""
    return PublicChat(
        chat=chat,
        kind=kind_of(chat),
        name=info.name,
        notice=info.notice,
        avatar=info.avatar or None,
        join=cast(Join, info.join),
        members=info.members,
        made_at=rfc3339(info.made),
    )


def _said_by(chat: str, info: Info | None) -> Said:
    if info is None:
        return Said(frozenset(), None)
    return Said(_terms(chat, info), ScoredMember(info.made, chat) if kind_of(chat) == "room" else None)


def _terms(chat: str, info: Info) -> frozenset[str]:
    """Return the terms of a group or room; of one that only who is invited may join, none."""
    if info.join == "invite":
        return frozenset()
    if kind_of(chat) == "group":
        return terms_of("", info.name)
    return terms_of(chat.removeprefix(ROOM_PREFIX), info.name) | {cut(chat)}
