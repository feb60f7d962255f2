"""Pages of a sorted set, from its highest score down, and the members whose times have come."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from chalicelib.store.redis.query import Batch, Query, concatenated
from chalicelib.store.redis.scripts import Script

READ_PAGE = Script("redis/read_page")
READ_DUE = Script("redis/read_due")

T = TypeVar("T")


class ScoredMember(NamedTuple):
    """A member of a sorted set and its place; they compare as the set orders them, if they are ASCII."""

    score: int
    member: str


def page(key: str, below: ScoredMember | None, limit: int) -> Query[list[ScoredMember]]:
    """Return the query for at most `limit` members below one (None: from the highest)."""
    after: tuple[int | str, str] = ("", "") if below is None else below
    return Query(READ_PAGE, (key,), (*after, limit), scored_members)


def due(sets: Iterable[str], most: int, read: Callable[[ScoredMember], T]) -> Batch[list[T]]:
    """Return the batch for the members of sorted sets whose scores, times in µs, have come.

    sets: Keys. most: Maximum number of members of each set. read: Returns what a member stands for.
    """

    def read_all(flat: list[bytes]) -> list[T]:
        return [read(one) for one in scored_members(flat)]

    return concatenated([Query(READ_DUE, (key,), (most,), read_all) for key in sets])


def scored_members(flat: list[bytes]) -> list[ScoredMember]:
    """Return the members in a reply of alternating members and scores."""
    return [
        ScoredMember(number_of(score), member.decode())
        for member, score in zip(flat[::2], flat[1::2], strict=True)
    ]


def number_of(score: bytes) -> int:
    """Return a score that is a whole number; the store may write it with an exponent."""
    return int(float(score))
