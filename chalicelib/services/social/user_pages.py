"""Lists of users in pages."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.schemas.social import ListedPerson, PersonPage
from chalicelib.services.values.cursors import USER_CURSOR
from chalicelib.services.values.paging import page_of
from chalicelib.services.values.times import rfc3339
from chalicelib.store.accounts.user_cards import UserCard, UserCards
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.sorted_sets import ScoredMember

Paging = Callable[[str, ScoredMember | None, int], Query[list[ScoredMember]]]


class UserPages:
    """Reads pages of lists of users, newest first, with the names that the users have now."""

    def __init__(self, store: Store, cards: UserCards) -> None:
        self._store = store
        self._cards = cards

    def page(self, paging: Paging, owner: str, cursor: str | None, limit: int) -> PersonPage:
        """Return a page of a list; raises BadRequest.

        paging: Returns the query for the owner's list.
        limit: Maximum number of users. A page leaves out deleted users, and may be shorter.
        """
        below = None if cursor is None else USER_CURSOR.decode(cursor, "cursor")
        page = page_of(self._store.run(paging(owner, below, limit + 1)), limit, USER_CURSOR.encode)
        cards = self._store.run(self._cards.of(handle for _, handle in page.rows))
        users = [_listed(cards[handle], since) for since, handle in page.rows if handle in cards]
        return PersonPage(users=users, next=page.next)


def _listed(card: UserCard, since: int) -> ListedPerson:
    return ListedPerson(handle=card.handle, name=card.name, avatar=card.avatar, since=rfc3339(since))
