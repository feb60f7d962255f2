"""Who follows whom: the truth with the follower, a mirror of it with the followed."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Any, NamedTuple

from chalicelib.store import keys
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from chalicelib.store.redis.scripts import Script
from chalicelib.store.redis.sorted_sets import ScoredMember, page

FOLLOW_USER = Script("social/follow_user")
UNFOLLOW_USER = Script("social/unfollow_user")
READ_FOLLOW = Script("social/read_follow")
MIRROR_FOLLOW = Script("social/mirror_follow")

MOST_FOLLOWED = 10_000
"""Users that one may follow: what a feed merges and a deletion takes back stays bounded."""
MEMORY = 3600 * 1_000_000
"""µs for which an ended edge is remembered; no call that mirrors an edge takes nearly as long."""
AT_ONCE = 500
"""Edges of a deleted account that are ended together."""


class Following(IntEnum):
    """What became of a call to follow."""

    ALREADY = 0
    NOW = 1
    NO_ACCOUNT = 2
    BLOCKING = 3
    TOO_MANY = 4


class Mirrored(IntEnum):
    """What became of a call to mirror."""

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
    `{u<NNN>}:followers:<handle>`: ZSET, no expiry: who follows the user -> version. It mirrors the truth.
    `{u<NNN>}:unfollowed:<handle>`: ZSET, expires after MEMORY: who ceased to follow the user of late ->
        version, so that a late mirror of an older edge cannot bring it back.
    A version is the time in µs at which the edge was made or ended; those of a follower always rise, by
    `followed` in the follower's account. While the mirror may differ, `follow:<follower>:<followed>` is
    owed in the follower's partition.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def follow(self, handle: str, target: str) -> Following:
        """Make a user follow another, and owe the mirror; again is no change."""
        named = (keys.user(handle), keys.following(handle), keys.blocked(handle), keys.pending(handle))
        args = (target, item(handle, target), MOST_FOLLOWED)
        return self._store.run(Query(FOLLOW_USER, named, args, Following))

    def unfollow(self, handle: str, target: str, version: int | None = None) -> bool:
        """End an edge, and owe the mirror; returns whether there was one.

        version: only an edge that still has it; None: any.
        """
        only = "" if version is None else str(version)
        return self._store.run(_ending(handle, target, item(handle, target), only))

    def edge(self, handle: str, target: str) -> Edge | None:
        """Return the edge from one user to another; None: there is none, and the mirror knows."""
        named = (keys.following(handle), keys.pending(handle))
        return self._store.run(Query(READ_FOLLOW, named, (target, item(handle, target)), _edge))

    def mirror(self, handle: str, target: str, edge: Edge) -> Mirrored:
        """Make the target's followers what the edge says, unless they know a newer one."""
        return self._store.run(_mirroring(handle, target, edge))

    def following(self, handle: str, below: ScoredMember | None, limit: int) -> Query[list[ScoredMember]]:
        """Return the query for a page of whom a user follows, the newest first."""
        return page(keys.following(handle), below, limit)

    def followers(self, handle: str, below: ScoredMember | None, limit: int) -> Query[list[ScoredMember]]:
        """Return the query for a page of who follows a user, the newest first."""
        return page(keys.followers(handle), below, limit)

    def some_followers(self, handle: str, limit: int) -> list[str]:
        """Return followers of a user, all of them if they are fewer than the limit, as of one moment."""
        query: Query[list[bytes]] = Query("ZRANGE", (keys.followers(handle),), (0, limit - 1))
        return [follower.decode() for follower in self._store.run(query)]

    def followed_among(self, handle: str, targets: Sequence[str]) -> Query[set[str]]:
        """Return the query for those of some users, one at the least, whom a user follows."""

        def read(scores: list[bytes | None]) -> set[str]:
            return {target for target, score in zip(targets, scores, strict=True) if score is not None}

        return Query("ZMSCORE", (keys.following(handle),), tuple(targets), read)

    def drop(self, handle: str) -> None:
        """End every edge from and to a user whose account is deleted; broken off, it may be begun again.

        The mirrors go before the truth that leads to them. Nobody can follow the user any more, so what
        others followed needs no mirror.
        """
        while edges := self._store.run(self.following(handle, None, AT_ONCE)):
            self._store.run_all(
                _mirroring(handle, target, Edge(False, version + 1)) for version, target in edges
            )
            self._strike(keys.following(handle), edges)
        while edges := self._store.run(self.followers(handle, None, AT_ONCE)):
            self._store.run_all(_ending(follower, handle, "", "") for _, follower in edges)
            self._strike(keys.followers(handle), edges)
        self._store.run(Query("SREM", (keys.large_authors(),), (handle,)))

    def _strike(self, key: str, edges: list[ScoredMember]) -> None:
        self._store.run(Query("ZREM", (key,), tuple(handle for _, handle in edges)))


def item(handle: str, target: str) -> str:
    """Return what is owed for an edge."""
    return f"follow:{handle}:{target}"


def _ending(handle: str, target: str, owes: str, version: str) -> Query[bool]:
    named = (keys.user(handle), keys.following(handle), keys.pending(handle))
    return Query(UNFOLLOW_USER, named, (target, owes, version), bool)


def _mirroring(handle: str, target: str, edge: Edge) -> Query[Mirrored]:
    named = (keys.user(target), keys.followers(target), keys.unfollowed(target), keys.blocked(target))
    return Query(MIRROR_FOLLOW, named, (handle, edge.version, int(edge.follows), MEMORY), Mirrored)


def _edge(reply: list[Any]) -> Edge | None:
    return Edge(bool(reply[0]), int(reply[1])) if reply else None
