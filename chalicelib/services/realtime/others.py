"""Whom something reaches that is never stored: the others of a chat, as far as they are connected."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NamedTuple

from chalicelib.services.chat_ids import ChatId
from chalicelib.store.accounts import Accounts, Peer
from chalicelib.store.client import Store
from chalicelib.store.outbox import Outbox
from chalicelib.store.presence import Presence, Target
from chalicelib.store.summaries import State, Summaries, Summary


class Pair(NamedTuple):
    """Two people; known: whether anything was ever written between them. targets: where the other is.

    blocked: whether the other has blocked the one who asks. blocks: whether that one has blocked the other.
    """

    known: bool
    blocked: bool
    blocks: bool
    targets: list[Target]


class Circle(NamedTuple):
    """A group or room as one of its people sees it; others: the members but that one, none of a large one.

    muted: till when that one cannot write, µs since 1970; 0: they can.
    """

    state: State
    large: bool
    muted: int
    others: list[str]

    @property
    def is_member(self) -> bool:
        """Whether the one who asks is a member."""
        return self.state is State.MEMBER


class Others:
    """Finds the others of chats, and where they are connected."""

    def __init__(self, store: Store, accounts: Accounts, presence: Presence) -> None:
        self._store = store
        self._accounts = accounts
        self._presence = presence
        self._summaries = Summaries()
        self._outbox = Outbox(store)

    def pair(self, handle: str, other: str) -> Pair:
        """Return how two people stand to each other, in one trip; handle: of who asks."""
        chat = ":".join(sorted((handle, other)))
        seen, theirs, own, *targets = self._store.fetch_all(
            [
                self._summaries.of(chat, handle),
                self._accounts.peer(other, handle),
                self._accounts.peer(handle, other),
                *self._presence.targets([other]),
            ]
        )
        return _pair(seen, theirs, own, targets)

    def circle(self, handle: str, chat: str) -> Circle:
        """Return a group or room and its members, in one trip; chat: its canonical id."""
        asked = self._summaries.of(chat, handle), self._outbox.audience(chat)
        seen, audience = self._store.fetch_both(*asked)
        muted = seen.muted_until if seen.muted_until > time.time_ns() // 1000 else 0
        others = [member for member in audience.members if member != handle]
        return Circle(seen.state, seen.large, muted, others)

    def connected(self, handles: Iterable[str]) -> list[Target]:
        """Return where users are connected, in one trip for each 100 partitions that they are in."""
        found: list[list[Target]] = self._store.fetch_all(self._presence.targets(list(handles)))
        return [target for part in found for target in part]

    def of(self, handle: str, chat: ChatId) -> list[Target]:
        """Return where the others of a chat are, for what is dropped if it may not be said.

        Nobody: the chat is large, or the one who asks is no member, muted or blocked; or the two of it have
        never written. One trip for a chat of two, two for a group.
        """
        if chat.members is not None:
            return self._of_pair(handle, chat.other(handle))
        circle = self.circle(handle, chat.text)
        quiet = circle.large or circle.muted or not circle.is_member or not circle.others
        return [] if quiet else self.connected(circle.others)

    def _of_pair(self, handle: str, other: str) -> list[Target]:
        if other == handle:
            return []
        pair = self.pair(handle, other)
        return pair.targets if pair.known and not (pair.blocked or pair.blocks) else []


def _pair(seen: Summary, theirs: Peer, own: Peer, targets: list[list[Target]]) -> Pair:
    there = [target for part in targets for target in part]
    return Pair(bool(seen.epoch), theirs.blocks, own.blocks, there)
