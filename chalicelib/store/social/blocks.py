"""Blocks: the users whom a user has blocked."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from enum import IntEnum

from chalicelib.store import keys
from chalicelib.store.redis.query import Query, UserBatch, in_one_list, of_users
from chalicelib.store.redis.scripts import Script
from chalicelib.store.redis.sorted_sets import ScoredMember, page
from chalicelib.store.social import follows

BLOCK_USER = Script("social/block_user")
READ_BLOCKERS = Script("social/read_blockers")

MAX_BLOCKED = 10_000


class Blocking(IntEnum):
    """The outcome of a call to block."""

    ALREADY = 0
    NOW = 1
    NO_ACCOUNT = 2
    TOO_MANY = 4


class Blocks:
    """The blocks of users. Their key, in the user's partition:

    `{u<NNN>}:blocked:<handle>`: ZSET, no expiry: whom the user has blocked -> since when, µs. MAX_BLOCKED
        members at most. While the other may still follow the user, `block:<handle>:<other>` is pending.
    """

    def block(self, handle: str, other: str) -> Query[Blocking]:
        """Return the query that blocks a user and ends the edges between the two; idempotent.

        The changes in the other user's slot are recorded as pending.
        """
        zsets = (keys.blocked(handle), keys.following(handle), keys.followers(handle))
        named = (keys.user(handle), *zsets, keys.pending(handle))
        args = (other, follows.item(handle, other), item(handle, other), MAX_BLOCKED)
        return Query(BLOCK_USER, named, args, Blocking)

    def unblock(self, handle: str, other: str) -> Query[bool]:
        """Return the query that ends a block; False: there was none."""
        return Query("ZREM", (keys.blocked(handle),), (other,), bool)

    @staticmethod
    def blocking(handles: Iterable[str], other: str) -> UserBatch[list[str]]:
        """Return the batch for those of some users who block another, in any order."""
        return of_users(handles, 1, functools.partial(_blockers, other), in_one_list)

    @staticmethod
    def all_of(handle: str) -> Query[list[str]]:
        """Return the query for all users whom a user has blocked."""
        return Query("ZRANGE", (keys.blocked(handle),), (0, -1), _texts)

    def blocked(self, handle: str, below: ScoredMember | None, limit: int) -> Query[list[ScoredMember]]:
        """Return the query for a page of the users whom a user has blocked, the newest first."""
        return page(keys.blocked(handle), below, limit)


def item(handle: str, other: str) -> str:
    """Return the pending item of a block."""
    return f"block:{handle}:{other}"


def _blockers(other: str, handles: Sequence[str]) -> Query[list[str]]:
    def read(reply: Sequence[int]) -> list[str]:
        return [handle for handle, blocks in zip(handles, reply, strict=True) if blocks]

    return Query(READ_BLOCKERS, tuple(keys.blocked(handle) for handle in handles), (other,), read)


def _texts(reply: Sequence[bytes]) -> list[str]:
    return [text.decode() for text in reply]
