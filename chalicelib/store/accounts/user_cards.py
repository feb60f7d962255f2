"""What lists show of users."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple

from chalicelib.store import keys
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

READ_USER_CARDS = Script("accounts/read_user_cards")


class UserCard(NamedTuple):
    """A user as a list shows them."""

    handle: str
    name: str
    avatar: str | None


class UserCards:
    """Reads many users at once, one call a partition; the keys are those of Accounts."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, handles: Iterable[str]) -> dict[str, UserCard]:
        """Return the users who are there, by handle."""
        read = self._store.run_all(_reading(group) for group in keys.by_partition(handles, each=1))
        return {card.handle: card for cards in read for card in cards}


def card(handle: str, name: bytes, avatar: bytes) -> UserCard:
    """Return a user as the scripts give them."""
    return UserCard(handle, name.decode(), avatar.decode() or None)


def _reading(handles: list[str]) -> Query[list[UserCard]]:
    read = functools.partial(_cards, handles)
    return Query(READ_USER_CARDS, tuple(map(keys.user, handles)), read=read)


def _cards(handles: list[str], reply: list[list[bytes]]) -> list[UserCard]:
    return [card(handle, *fields) for handle, fields in zip(handles, reply, strict=True) if fields]
