"""The connections of a chat's other members, for frames that are never stored."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from chalicelib.services.values.chat_id import ChatId
from chalicelib.store.accounts.accounts import Accounts
from chalicelib.store.chats.summary import MembershipState, Summaries
from chalicelib.store.messages.outbox import Outbox
from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.realtime.recipients import EphemeralRecipients, Recipients
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query, Runnable, UserBatch
from chalicelib.store.social.blocks import Blocks


class PairAudience(NamedTuple):
    """The other user of a direct chat, as the sender sees them.

    known: Whether the two ever wrote to each other. blocked: Whether the other user has blocked the sender.
    blocks: Whether the sender has blocked the other user. reached: The other user's connections.
    """

    known: bool
    blocked: bool
    blocks: bool
    reached: Recipients


class Callee(NamedTuple):
    """A user whom another user calls.

    accepts: Whether the callee has written to the caller, has sent them a signal that accepts calls, or
    follows them. follows: Whether the caller follows the callee.
    """

    pair: PairAudience
    accepts: bool
    follows: bool


class GroupAudience(NamedTuple):
    """A group or room as the sender sees it.

    muted: End of the sender's mute, µs since 1970; 0: the sender may write. others: Handles of the members
    without the sender and the users whom the sender blocks; empty for a large chat. accepted: The `others`
    who have accepted the chat, see EphemeralRecipients; empty unless requested.
    """

    state: MembershipState
    large: bool
    muted: int
    others: list[str]
    accepted: list[str]

    @property
    def is_member(self) -> bool:
        """Whether the sender is a member."""
        return self.state is MembershipState.MEMBER


class AudienceFinder:
    """Finds the connections of a chat's other members.

    signal_bytes: Maximum bytes of signals a minute from one user to another; 0: no limit.
    """

    def __init__(
        self,
        store: Store,
        accounts: Accounts,
        user_connections: UserConnections,
        summaries: Summaries,
        outbox: Outbox,
        signal_bytes: int,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._user_connections = user_connections
        self._summaries = summaries
        self._outbox = outbox
        self._signal_bytes = signal_bytes

    def pair(self, handle: str, other: str) -> PairAudience:
        """Return the other user of a direct chat, in one round trip; handle: Of the sender."""
        return _pair_audience(
            self._store.run_all(self._asking(handle, other, EphemeralRecipients.of(handle, [other])))
        )

    def callee(self, handle: str, other: str, size: int, *, accepts: bool) -> Callee:
        """Return a callee, in one round trip, and take a signal from the caller's limit.

        handle: Of the caller. size: Of the signal, bytes. accepts: Whether the signal accepts calls from the
        callee.
        """
        accepting = [
            EphemeralRecipients.accepted(":".join(sorted((handle, other)))),
            EphemeralRecipients.follows(other, handle),
            EphemeralRecipients.accepts(other, handle),
            EphemeralRecipients.follows(handle, other),
        ]
        reading = EphemeralRecipients.of(handle, [other], size, self._signal_bytes, accepts=accepts)
        accepted, followed, signalled, follows, *rest = self._store.run_all(
            [*accepting, *self._asking(handle, other, reading)]
        )
        return Callee(_pair_audience(rest), other in accepted or followed or signalled, follows)

    def group(self, handle: str, chat: str, *, ringing: bool = False) -> GroupAudience:
        """Return a group or room and its members, in one round trip.

        handle: Of the sender. chat: The canonical id. ringing: Whether to read `accepted`.
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

    def connected(self, handles: Iterable[str]) -> list[Recipient]:
        """Return the connections of users, in one round trip; on a cluster one for each 100 partitions."""
        return self._store.run(self._user_connections.recipients(list(handles)))

    def reached(
        self, handle: str, others: Iterable[str], size: int = 0, *, accepts: bool = False
    ) -> Recipients:
        """Return the connections of users who do not block the sender, in as many round trips as `connected`.

        handle: Of the sender. size: Bytes of a signal, counted against the limit of each user; 0: no signal.
        accepts: Whether the signal accepts calls from those users.
        """
        reading = EphemeralRecipients.of(handle, others, size, self._signal_bytes, accepts=accepts)
        return self._store.run(reading)

    def of(self, handle: str, chat: ChatId) -> list[Recipient]:
        """Return the connections of a chat's other members, for frames that are dropped if not allowed.

        The list is empty if the chat is large, if the sender is muted or not a member, and if the two users
        of a direct chat never wrote to each other. It excludes users who block the sender and users whom the
        sender blocks. Takes one round trip for a direct chat, two for a group.
        """
        if chat.members is not None:
            return self._of_pair(handle, chat.other(handle))
        group = self.group(handle, chat.text)
        is_quiet = group.large or group.muted or not group.is_member or not group.others
        return [] if is_quiet else self.reached(handle, group.others).connections

    def _of_pair(self, handle: str, other: str) -> list[Recipient]:
        if other == handle:
            return []
        pair = self.pair(handle, other)
        return pair.reached.connections if pair.known and not (pair.blocked or pair.blocks) else []

    def _asking(self, handle: str, other: str, reading: UserBatch[Recipients]) -> list[Runnable[Any]]:
        chat = ":".join(sorted((handle, other)))
        relations = self._accounts.relation(other, handle), self._accounts.relation(handle, other)
        return [self._summaries.of(chat, handle), *relations, reading]


def _pair_audience(replies: list[Any]) -> PairAudience:
    seen, theirs, own, reached = replies
    return PairAudience(bool(seen.epoch), theirs.blocks, own.blocks, reached)
