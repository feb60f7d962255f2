"""Users as lists show them."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from chalicelib.store import keys
from chalicelib.store.redis.query import Query, UserBatch, of_users
from chalicelib.store.redis.scripts import Script

READ_USER_CARDS = Script("accounts/read_user_cards")


class UserCard(NamedTuple):
    """A user as a list shows them."""

    handle: str
    name: str
    avatar: str | None


class UserCards:
    """Reads many users. It has no keys of its own; see Accounts."""

    def one(self, handle: str) -> Query[UserCard | None]:
        """Return the query for one user; None: there is no account."""
        return _reading([handle]).map(lambda cards: cards[0] if cards else None)

    def of(self, handles: Iterable[str]) -> UserBatch[dict[str, UserCard]]:
        """Return the batch for the users who have accounts, by handle."""
        return of_users(handles, 1, _reading, _by_handle)


def card(handle: str, name: bytes, avatar: bytes) -> UserCard:
    """Return a user's card from a script's reply."""
    return UserCard(handle, name.decode(), avatar.decode() or None)


def _by_handle(read: list[list[UserCard]]) -> dict[str, UserCard]:
    return {card.handle: card for cards in read for card in cards}


def _reading(handles: Sequence[str]) -> Query[list[UserCard]]:
    read = functools.partial(_cards, handles)
    return Query(READ_USER_CARDS, tuple(map(keys.user, handles)), read=read)


def _cards(handles: Sequence[str], reply: list[list[bytes]]) -> list[UserCard]:
    return [card(handle, *fields) for handle, fields in zip(handles, reply, strict=True) if fields]
