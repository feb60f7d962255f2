"""Whom something reaches that is never stored: the others of a chat, as far as they are connected."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from chalicelib.services.values.chat_id import ChatId
from chalicelib.store.accounts.accounts import Accounts
from chalicelib.store.chats.summary import MembershipState, Summaries
from chalicelib.store.messages.outbox import Outbox
from chalicelib.store.realtime.recipients import EphemeralRecipients, Recipients, joined
from chalicelib.store.realtime.user_connections import Target, UserConnections
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query
from chalicelib.store.social.blocks import Blocks


class PairAudience(NamedTuple):
    """Two people; known: whether anything was ever written between them. reached: where the other is.

    blocked: whether the other has blocked the one who asks. blocks: whether that one has blocked the other.
    """

    known: bool
    blocked: bool
    blocks: bool
    reached: Recipients


class Callee(NamedTuple):
    """Somebody whom another calls, and how the two stand to each other.

    accepts: whether they have written to the caller, have sent them a signal that accepts calls, or follow
    them. follows: whether the caller follows them.
    """

    pair: PairAudience
    accepts: bool
    follows: bool


class GroupAudience(NamedTuple):
    """A group or room as one of its people sees it.

    muted: till when that one cannot write, µs since 1970; 0: they can. others: the members but that one and
    whom they have blocked, none of a large chat. accepted: those of them who have accepted the chat, see
    EphemeralRecipients; as far as it was asked.
    """

    state: MembershipState
    large: bool
    muted: int
    others: list[str]
    accepted: list[str]

    @property
    def is_member(self) -> bool:
        """Whether the one who asks is a member."""
        return self.state is MembershipState.MEMBER


class AudienceFinder:
    """Finds the others of chats, and where they are connected.

    signal_bytes: of what is never stored, to one user from another a minute; 0: any.
    """

    def __init__(
        self, store: Store, accounts: Accounts, user_connections: UserConnections, signal_bytes: int
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._user_connections = user_connections
        self._summaries = Summaries()
        self._outbox = Outbox(store)
        self._signal_bytes = signal_bytes

    def pair(self, handle: str, other: str) -> PairAudience:
        """Return how two people stand to each other, in one trip; handle: of who asks."""
        return _pair_audience(
            self._store.run_all(self._asking(handle, other, EphemeralRecipients.reading(handle, [other])))
        )

    def callee(self, handle: str, other: str, size: int, *, accepts: bool) -> Callee:
        """Return how somebody stands to who calls them, in one trip, and take a signal from what may go.

        handle: of who calls. size: the signal's, bytes. accepts: whether it accepts calls of the
        other.
        """
        accepting = [
            EphemeralRecipients.accepted(":".join(sorted((handle, other)))),
            EphemeralRecipients.follows(other, handle),
            EphemeralRecipients.accepts(other, handle),
            EphemeralRecipients.follows(handle, other),
        ]
        reading = EphemeralRecipients.reading(handle, [other], size, self._signal_bytes, accepts=accepts)
        accepted, followed, signalled, follows, *rest = self._store.run_all(
            [*accepting, *self._asking(handle, other, reading)]
        )
        return Callee(_pair_audience(rest), other in accepted or followed or signalled, follows)

    def circle(self, handle: str, chat: str, *, ringing: bool = False) -> GroupAudience:
        """Return a group or room and its members, in one trip; chat: its canonical id.

        ringing: whether it is asked who has accepted the chat.
        """
        asked: list[Query[Any]] = [self._summaries.of(chat, handle), self._outbox.audience(chat)]
        asked += [Blocks.all_of(handle), *([EphemeralRecipients.accepted(chat)] if ringing else [])]
        seen, audience, blocked, *rest = self._store.run_all(asked)
        muted = seen.muted_until if seen.muted_until > time.time_ns() // 1000 else 0
        left_out = {handle, *blocked}
        others = [member for member in audience.members if member not in left_out]
        accepted = {one for part in rest for one in part}
        return GroupAudience(
            seen.state, seen.large, muted, others, [one for one in others if one in accepted]
        )

    def connected(self, handles: Iterable[str]) -> list[Target]:
        """Return where users are connected, in one trip for each 100 partitions that they are in."""
        found: list[list[Target]] = self._store.run_all(self._user_connections.targets(list(handles)))
        return [target for part in found for target in part]

    def reached(
        self, handle: str, others: Iterable[str], size: int = 0, *, accepts: bool = False
    ) -> Recipients:
        """Return where users are connected who do not block who sends, in trips as `connected` makes.

        handle: of who sends. size: of a signal, which is taken from what may go to each; 0: it is none.
        accepts: whether the signal accepts calls of those whom it reaches.
        """
        reading = EphemeralRecipients.reading(handle, others, size, self._signal_bytes, accepts=accepts)
        return joined(self._store.run_all(reading))

    def of(self, handle: str, chat: ChatId) -> list[Target]:
        """Return where the others of a chat are, for what is dropped if it may not be said.

        Nobody: the chat is large, or the one who asks is no member or muted; or the two of it have never
        written. Nor those who block the one who asks, or are blocked by them. One trip for a chat of two, two
        for a group.
        """
        if chat.members is not None:
            return self._of_pair(handle, chat.other(handle))
        circle = self.circle(handle, chat.text)
        quiet = circle.large or circle.muted or not circle.is_member or not circle.others
        return [] if quiet else self.reached(handle, circle.others).targets

    def _of_pair(self, handle: str, other: str) -> list[Target]:
        if other == handle:
            return []
        pair = self.pair(handle, other)
        return pair.reached.targets if pair.known and not (pair.blocked or pair.blocks) else []

    def _asking(self, handle: str, other: str, reading: Iterable[Query[Any]]) -> list[Query[Any]]:
        chat = ":".join(sorted((handle, other)))
        peers = self._accounts.relation(other, handle), self._accounts.relation(handle, other)
        return [self._summaries.of(chat, handle), *peers, *reading]


def _pair_audience(replies: list[Any]) -> PairAudience:
    seen, theirs, own, *parts = replies
    return PairAudience(bool(seen.epoch), theirs.blocks, own.blocks, joined(parts))
