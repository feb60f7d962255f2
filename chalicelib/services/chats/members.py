"""Lists of the members of a group or room, and of invited, requesting and banned users."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from chalicelib.errors import ChatNotFound, NotAMember
from chalicelib.schemas.chats import ListedMember, ListedOther, MemberPage, OtherPage
from chalicelib.schemas.legacy.go_chat import GoChatMember
from chalicelib.services.auth.caller import Caller
from chalicelib.services.chats import permissions
from chalicelib.services.chats.transaction import existing_info
from chalicelib.services.social.block_filter import BlockFilter
from chalicelib.services.values.chat_id import ChatIds, kind_of
from chalicelib.services.values.paging import Page, page_of
from chalicelib.services.values.times import rfc3339
from chalicelib.services.views.inbox_row import ROLES
from chalicelib.store.accounts.user_cards import UserCard, UserCards
from chalicelib.store.chats.chats import Chats
from chalicelib.store.chats.info import Member, Other, Relation
from chalicelib.store.realtime.chat_connections import ChatConnections
from chalicelib.store.redis.client import Store

T = TypeVar("T", Member, Other)


class Members:
    """Reads pages of users, ordered by handle, with their current names and avatars.

    chat: The id as the caller gave it. cursor: The `next` of the previous page. limit: Maximum page size.
    """

    def __init__(
        self,
        store: Store,
        ids: ChatIds,
        chats: Chats,
        cards: UserCards,
        chat_connections: ChatConnections,
        blocks: BlockFilter,
    ) -> None:
        self._store = store
        self._ids = ids
        self._chats = chats
        self._cards = cards
        self._chat_connections = chat_connections
        self._filter = blocks

    def members(self, caller: Caller, chat: str, cursor: str | None, limit: int) -> MemberPage:
        """Read a page of the members; a room's are readable for everybody who is not banned from it.

        Raises BadRequest, ChatNotFound, NotAMember, Banned.
        """
        shown, after = _page(self._members(caller, self._ids.group(chat)), cursor, limit)
        cards = self._store.run(self._cards.of(member.handle for member in shown))
        return MemberPage(members=[_member(one, cards.get(one.handle)) for one in shown], next=after)

    def clients(self, caller: Caller, room: str) -> list[GoChatMember]:
        """Read all members of a room, and which of them are connected to it, in three round trips.

        Users who block the caller, or whom the caller blocks, are left out. Raises what `members` raises.
        """
        group = self._ids.group(room)
        handles = sorted(member.handle for member in self._members(caller, group))
        there, hidden = self._connected(group, handles), self._filter.hidden(caller.handle, handles)
        return [
            GoChatMember(id=one, username=one, connected=one in there) for one in handles if one not in hidden
        ]

    def others(
        self, caller: Caller, chat: str, relation: Relation, cursor: str | None, limit: int
    ) -> OtherPage:
        """Read a page of the users with a relation to a chat, as an admin or owner.

        Raises BadRequest, ChatNotFound, NotAMember, Banned, Forbidden.
        """
        group = self._ids.group(chat)
        queries = self._chats.snapshot(group, caller.handle), self._chats.others(group, relation)
        snapshot, found = caller.read_all(*queries)
        existing_info(group, snapshot)
        permissions.check_manager(group, snapshot.records[caller.handle])
        shown, after = _page(found, cursor, limit)
        cards = self._store.run(self._cards.of(other.handle for other in shown))
        return OtherPage(users=[_other(one, cards.get(one.handle)) for one in shown], next=after)

    def _connected(self, group: str, handles: Sequence[str]) -> set[str]:
        """Return the members who are connected to a room; read as one of its members, for visitors too."""
        if not handles:
            return set()
        try:
            found = self._store.run(self._chat_connections.joined(group, handles[0]))
        except (ChatNotFound, NotAMember):  # deleted or left since
            return set()
        return {client.handle for client in found}

    def _members(self, caller: Caller, group: str) -> list[Member]:
        queries = self._chats.snapshot(group, caller.handle), self._chats.members(group)
        snapshot, members = caller.read_all(*queries)
        existing_info(group, snapshot)
        permissions.check_sees_members(
            group, snapshot.records[caller.handle], is_room=kind_of(group) == "room"
        )
        found: list[Member] = members
        return found


def _page(found: Sequence[T], cursor: str | None, limit: int) -> Page[T]:
    return page_of(sorted(one for one in found if cursor is None or one.handle > cursor), limit, _handle_of)


def _handle_of(one: Member | Other) -> str:
    return one.handle


def _member(member: Member, card: UserCard | None) -> ListedMember:
    return ListedMember(
        handle=member.handle,
        name="" if card is None else card.name,
        avatar=None if card is None else card.avatar,
        role=ROLES[member.role],
        joined_at=rfc3339(member.joined),
        muted_until=rfc3339(member.muted_until) if member.muted_until else None,
    )


def _other(other: Other, card: UserCard | None) -> ListedOther:
    return ListedOther(
        handle=other.handle,
        name="" if card is None else card.name,
        avatar=None if card is None else card.avatar,
        since=rfc3339(other.at),
    )
