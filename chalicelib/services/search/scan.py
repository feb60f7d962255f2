"""Searching several chats at once, such that their newest messages are found first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from chalicelib.errors import ChatNotFound, NotAMember
from chalicelib.services.search.matches import ChatScan, Hit
from chalicelib.store.messages.log_search import SearchStep
from chalicelib.store.redis.client import Store

WORK = 3072
"""Maximum work of a page, counted in messages that are looked at; its last steps may exceed it."""
FIRST_STEP, STEP, SHORTEST_STEP = 128, 512, 16
"""Maximum numbers of messages of a step in one chat."""
TOGETHER = 16
"""Maximum number of chats that a round trip searches."""


class Found(NamedTuple):
    """The result of a search in several chats.

    hits: Those that are newer than all messages that are left, newest first. left: Time before which messages
    are left to be searched, µs; None: none are. work: See WORK.
    """

    hits: list[Hit]
    left: int | None
    work: int


class Scanner:
    """Searches chats step by step, those first whose messages left to be searched are newer."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def find(self, scans: Sequence[ChatScan], limit: int, upto: int, hits: Iterable[Hit] = ()) -> Found:
        """Search until `limit` hits are the newest ones for certain, all is searched, or the work is done.

        upto: Each chat with messages left of this time, µs, or of a later one is searched at least until none
        is left, so that a search that goes on from page to page comes to its end. hits: Those of steps that
        were taken before.
        """
        found = list(hits)
        while ahead := _ahead(scans, found, limit, upto):
            size = max(SHORTEST_STEP, min(STEP, WORK // len(ahead)))
            found += self._stepped(ahead[:TOGETHER], size)
            found.sort(key=lambda hit: hit[:2], reverse=True)
        if filters := [query for scan in scans for query in scan.filters]:
            self._store.run_all(filters)
        left = max((scan.upper for scan in scans if not scan.ends), default=None)
        certain = found if left is None else [hit for hit in found if hit.time >= left]
        return Found(certain, left, _work(scans))

    def _stepped(self, scans: Sequence[ChatScan], size: int) -> list[Hit]:
        steps = self._store.run_all([scan.step(size).deferred() for scan in scans])
        return [hit for scan, read in zip(scans, steps, strict=True) for hit in _taken(scan, read)]


def _ahead(scans: Iterable[ChatScan], hits: Sequence[Hit], limit: int, upto: int) -> list[ChatScan]:
    """Return the chats that have to be searched further, those first with the newest messages left."""
    enough = hits[limit - 1].time if len(hits) >= limit else 0
    ahead = [scan for scan in scans if not scan.ends and scan.upper > enough]
    if _work(scans) >= WORK:
        ahead = [scan for scan in ahead if scan.upper >= upto]
    return sorted(ahead, key=lambda scan: scan.upper, reverse=True)


def _work(scans: Iterable[ChatScan]) -> int:
    return sum(scan.work for scan in scans)


def _taken(scan: ChatScan, read: Callable[[], SearchStep]) -> list[Hit]:
    """Return the hits of a step. A chat that the user may not read any more has none, and ends."""
    try:
        step = read()
    except (ChatNotFound, NotAMember):
        scan.ends = True
        return []
    return list(scan.take(step))
