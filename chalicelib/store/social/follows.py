"""Who follows whom: the truth with the follower, a mirror of it with the followed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script
from chalicelib.store.redis.sorted_sets import ScoredMember, page

FOLLOW_USER = Script("social/follow_user")
UNFOLLOW_USER = Script("social/unfollow_user")
READ_FOLLOW = Script("social/read_follow")
MIRROR_FOLLOW = Script("social/mirror_follow")

MAX_FOLLOWED = 10_000
"""Maximum number of followed users; it bounds the work of a feed and of a deletion."""
MEMORY = 3600 * 1_000_000
"""µs for which an ended edge is remembered; no call that mirrors an edge takes nearly as long."""


class Following(IntEnum):
    """The outcome of a call to follow."""

    ALREADY = 0
    NOW = 1
    NO_ACCOUNT = 2
    BLOCKING = 3
    TOO_MANY = 4


class Mirrored(IntEnum):
    """The outcome of a call to mirror."""

    STALE = 0
    SAME = 1
    GONE = 2
    BLOCKED = 3


class Edge(NamedTuple):
    """Whether one user follows another, and the version of that."""

    follows: bool
    version: int


class Follows:
    """The edges between users. Their keys, each in the partition of the user it is about:

    `{u<NNN>}:following:<handle>`: ZSET, no expiry: whom the user follows -> version. This is the truth.
    `{u<NNN>}:followers:<handle>`: ZSET, no expiry: follower of the user -> version. It mirrors the truth.
    `{u<NNN>}:unfollowed:<handle>`: ZSET, expires after MEMORY: recent former follower of the user ->
        version, so that a late mirror of an older edge cannot bring it back.
    A version is the time in µs at which the edge was made or ended; those of a follower always rise, by
    `followed` in the follower's account. While the mirror may differ, `follow:<follower>:<followed>` is
    pending in the follower's partition.
    """

    def follow(self, handle: str, target: str) -> Query[Following]:
        """Return the query that makes a user follow another and records the mirror as pending; idempotent."""
        named = (keys.user(handle), keys.following(handle), keys.blocked(handle), keys.pending(handle))
        return Query(FOLLOW_USER, named, (target, item(handle, target), MAX_FOLLOWED), Following)

    def unfollow(self, handle: str, target: str, version: int | None = None) -> Query[bool]:
        """Return the query that ends an edge, and records the mirror as pending; False: there was none.

        version: The edge is ended only if it still has this version; None: whatever its version.
        """
        return _ending(handle, target, item(handle, target), "" if version is None else str(version))

    def edge(self, handle: str, target: str) -> Query[Edge | None]:
        """Return the query for the edge from one user to another; None: neither it nor the mirror exists."""
        named = (keys.following(handle), keys.pending(handle))
        return Query(READ_FOLLOW, named, (target, item(handle, target)), _edge)

    def mirror(self, handle: str, target: str, edge: Edge) -> Query[Mirrored]:
        """Return the query that copies an edge to the target's followers, unless they have a newer one."""
        named = (keys.user(target), keys.followers(target), keys.unfollowed(target), keys.blocked(target))
        return Query(MIRROR_FOLLOW, named, (handle, edge.version, int(edge.follows), MEMORY), Mirrored)

    def following(self, handle: str, below: ScoredMember | None, limit: int) -> Query[list[ScoredMember]]:
        """Return the query for a page of the users whom a user follows, the newest first."""
        return page(keys.following(handle), below, limit)

    def followers(self, handle: str, below: ScoredMember | None, limit: int) -> Query[list[ScoredMember]]:
        """Return the query for a page of a user's followers, the newest first."""
        return page(keys.followers(handle), below, limit)

    def some_followers(self, handle: str, limit: int) -> Query[list[str]]:
        """Return the query for followers of a user, `limit` at most, as of one moment."""
        return Query("ZRANGE", (keys.followers(handle),), (0, limit - 1), _texts)

    def followed_among(self, handle: str, targets: Sequence[str]) -> Query[set[str]]:
        """Return the query for those of some users, at least one, whom a user follows."""

        def read(scores: list[bytes | None]) -> set[str]:
            return {target for target, score in zip(targets, scores, strict=True) if score is not None}

        return Query("ZMSCORE", (keys.following(handle),), tuple(targets), read)

    def end_deleted(self, handle: str, target: str) -> Query[bool]:
        """Return the query that ends an edge to a deleted user, whose mirror is removed with the account."""
        return _ending(handle, target, "", "")

    def drop_following(self, handle: str, edges: Sequence[ScoredMember]) -> Query[object]:
        """Return the query that removes edges of a deleted user, whose mirrors are gone."""
        return Query("ZREM", (keys.following(handle),), tuple(target for _, target in edges))

    def drop_followers(self, handle: str, edges: Sequence[ScoredMember]) -> Query[object]:
        """Return the query that removes followers of a deleted user, whose edges have ended."""
        return Query("ZREM", (keys.followers(handle),), tuple(follower for _, follower in edges))


def item(handle: str, target: str) -> str:
    """Return the pending item of an edge."""
    return f"follow:{handle}:{target}"


def _ending(handle: str, target: str, pending: str, version: str) -> Query[bool]:
    named = (keys.user(handle), keys.following(handle), keys.pending(handle))
    return Query(UNFOLLOW_USER, named, (target, pending, version), bool)


def _edge(reply: list[Any]) -> Edge | None:
    return Edge(bool(reply[0]), int(reply[1])) if reply else None


def _texts(reply: list[bytes]) -> list[str]:
    return [text.decode() for text in reply]
