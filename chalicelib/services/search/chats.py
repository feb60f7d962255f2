"""Search for groups and rooms, the list of all rooms, and the index entries of both."""

from __future__ import annotations

from typing import NamedTuple, cast

from chalicelib.schemas.search import PublicChat, PublicChatPage
from chalicelib.schemas.system_events import Join
from chalicelib.services.search.prefix_search import PrefixSearch
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


class Indexed(NamedTuple):
    """The index entries that a chat should have; room: its entry in the list of rooms, None for a group."""

    terms: frozenset[str]
    room: ScoredMember | None


class ChatSearch:
    """Finds groups and rooms that anybody may join or ask to join; shows each as its own keys have it.

    index: Search index of groups and rooms.
    terms: Terms that the index has, by chat.
    """

    def __init__(
        self, store: Store, chats: Chats, index: SearchIndex, terms: ChatTerms, rooms: RoomList
    ) -> None:
        self._store = store
        self._chats = chats
        self._index = index
        self._terms = terms
        self._rooms = rooms
        self._search = PrefixSearch(store, index, self._infos, _terms)

    def groups(self, q: str, limit: int, cursor: str | None) -> PublicChatPage:
        """Return a page of groups and rooms of which a word of the name, or the id, begins with `q`.

        See PrefixSearch.
        """
        found, after = self._search.page(q, limit, cursor)
        return PublicChatPage(chats=[shown(chat, info) for chat, info in found], next=after)

    def rooms(self, limit: int, cursor: str | None) -> PublicChatPage:
        """Return a page of all rooms, newest first; it may be short and not be the last.

        limit: 1-100. Raises BadRequest.
        """
        below = None if cursor is None else ROOM_CURSOR.decode(cursor, "cursor")
        page = page_of(self._store.run(self._rooms.page(below, limit + 1)), limit, ROOM_CURSOR.encode)
        listed = [mark.member for mark in page.rows]
        there = self._infos(listed)
        self._repair([room for room in listed if room not in there])
        return PublicChatPage(
            chats=[shown(room, there[room]) for room in listed if room in there], next=page.next
        )

    def index(self, chat: str) -> None:
        """Bring the index entries of a chat in line with the chat; remove all of a deleted chat.

        chat: Canonical id of a group or room. New terms are noted before they are added, so that the next
        call removes what a crash leaves behind.
        """
        made: frozenset[str] = frozenset()  # another call may have deleted the notes of this one
        while True:  # until the chat does not change meanwhile
            view, noted = self._store.run_both(self._chats.snapshot(chat), self._terms.of(chat))
            wanted = _indexed(chat, view.info)
            if kind_of(chat) == "group" and not (wanted.terms or noted or made):
                return
            self._mirror(chat, wanted, noted, made)
            made |= wanted.terms
            if _indexed(chat, self._store.run(self._chats.snapshot(chat)).info) == wanted:
                return

    def _mirror(self, chat: str, wanted: Indexed, noted: frozenset[str], made: frozenset[str]) -> None:
        self._store.run(self._terms.note(chat, wanted.terms - noted))
        self._store.run(self._index.add(SearchEntry(term, chat) for term in wanted.terms))
        if wanted.room is not None:
            self._store.run(self._rooms.add([wanted.room]))
        elif kind_of(chat) == "room":
            self._store.run(self._rooms.remove([chat]))
        gone = (noted | made) - wanted.terms
        self._store.run(self._index.remove(SearchEntry(term, chat) for term in gone))
        self._store.run(self._terms.strike(chat, gone))

    def _repair(self, gone: list[str]) -> None:
        """Remove rooms from the list; add again those that were made meanwhile."""
        if gone:
            self._store.run(self._rooms.remove(gone))
            self._store.run(
                self._rooms.add(ScoredMember(info.made, room) for room, info in self._infos(gone).items())
            )

    def _infos(self, chats: list[str]) -> dict[str, Info]:
        views = self._store.run_all(map(self._chats.snapshot, chats))
        return {chat: view.info for chat, view in zip(chats, views, strict=True) if view.info}


def shown(chat: str, info: Info) -> PublicChat:
    """Return a group or room as anybody may see it."""
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


def _indexed(chat: str, info: Info | None) -> Indexed:
    if info is None:
        return Indexed(frozenset(), None)
    return Indexed(_terms(chat, info), ScoredMember(info.made, chat) if kind_of(chat) == "room" else None)


def _terms(chat: str, info: Info) -> frozenset[str]:
    """Return the search terms of a group or room; none for a chat that needs an invitation."""
    if info.join == "invite":
        return frozenset()
    if kind_of(chat) == "group":
        return terms_of("", info.name)
    return terms_of(chat.removeprefix(ROOM_PREFIX), info.name) | {cut(chat)}
