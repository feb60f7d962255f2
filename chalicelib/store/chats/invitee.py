"""Invitees: the settings, relations and counts that decide whether a user may be added to a chat."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.accounts.accounts import AccountStatus
from chalicelib.store.inbox.read_state import WROTE, flags_of
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script

READ_INVITEE = Script("chats/read_invitee")
READ_UNWANTED_INVITATIONS = Script("chats/read_unwanted_invitations")


class Invitee(NamedTuple):
    """A user whom another user is about to add to a chat.

    blocks, follows: Whether they block or follow the other user. invitations: Number of invitations waiting
    for them. by_other: Number of those from the other user. large: Number of their large chats. setting: Who
    may add them (`everybody`, `known`, `nobody`); empty for the default.
    """

    status: AccountStatus
    blocks: bool
    follows: bool
    invitations: int
    by_other: int
    large: int
    setting: str


class Invitees:
    """Reads about invitees; it has no keys of its own."""

    @staticmethod
    def of(handle: str, by: str) -> Query[Invitee]:
        """Return the query for a user whom `by` is about to add to a chat."""
        of = (keys.user, keys.blocked, keys.following, keys.invitations, keys.large, keys.inbox_entries)
        return Query(READ_INVITEE, tuple(key(handle) for key in of), (by,), _invitee)

    @staticmethod
    def unwanted(handle: str, by: str) -> Query[list[str]]:
        """Return the query for the chats to which a user is invited by `by`, whom the user has blocked."""
        of = (keys.blocked, keys.invitations, keys.inbox_entries)
        return Query(READ_UNWANTED_INVITATIONS, tuple(key(handle) for key in of), (by,), _texts)

    @staticmethod
    def wrote(handle: str, other: str) -> Query[bool]:
        """Return the query for whether a user has written to another in their direct chat."""
        chat = ":".join(sorted((handle, other)))
        return Query("HGET", (keys.read_states(chat),), (handle,), lambda held: bool(flags_of(held) & WROTE))


def _invitee(reply: list[Any]) -> Invitee:
    state, blocks, follows, waiting, by_other, large, setting = reply
    return Invitee(
        AccountStatus(state), bool(blocks), bool(follows), waiting, by_other, large, setting.decode()
    )


def _texts(reply: Sequence[bytes]) -> list[str]:
    return [text.decode() for text in reply]
