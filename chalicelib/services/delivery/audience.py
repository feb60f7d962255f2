"""The connections of a chat's other members, for frames that are never stored."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from chalicelib.services.values.chat_id import ChatId
from chalicelib.store.accounts.accounts import Accounts
from chalicelib.store.chats.summary import MembershipState, Summaries
from chalicelib.store.messages.outbox import Outbox
from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.realtime.recipients import EphemeralRecipients, Recipients
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Runnable, UserBatch
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
        asked = self._asking_group(handle, chat)
        asked += [EphemeralRecipients.accepted(chat)] if ringing else []
        return _group_audience(handle, self._store.run_all(asked))

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
        return self.of_all(handle, [chat])[0]

    def of_all(self, handle: str, chats: Sequence[ChatId]) -> list[list[Recipient]]:
        """Return what `of` does for each chat, in as many round trips as for one if they are not many."""
        asked = [self._asking_of(handle, chat) for chat in chats]
        replies = iter(self._store.run_all(query for queries in asked for query in queries))
        seen = [list(itertools.islice(replies, len(queries))) for queries in asked]
        groups = {
            chat.text: _heard(_group_audience(handle, found))
            for chat, found in zip(chats, seen, strict=True)
            if chat.members is None
        }
        reading = [EphemeralRecipients.of(handle, others) for others in groups.values() if others]
        reached = iter(self._store.run_all(reading))
        there = {chat: next(reached).connections if others else [] for chat, others in groups.items()}
        return [
            there[chat.text] if chat.members is None else _of_pair(found)
            for chat, found in zip(chats, seen, strict=True)
        ]

    def _asking_of(self, handle: str, chat: ChatId) -> list[Runnable[Any]]:
        if chat.members is None:
            return self._asking_group(handle, chat.text)
        other = chat.other(handle)
        return [] if other == handle else self._asking(handle, other, EphemeralRecipients.of(handle, [other]))

    def _asking_group(self, handle: str, chat: str) -> list[Runnable[Any]]:
        return [self._summaries.of(chat, handle), self._outbox.audience(chat), Blocks.all_of(handle)]

    def _asking(self, handle: str, other: str, reading: UserBatch[Recipients]) -> list[Runnable[Any]]:
        chat = ":".join(sorted((handle, other)))
        relations = self._accounts.relation(other, handle), self._accounts.relation(handle, other)
        return [self._summaries.of(chat, handle), *relations, reading]


def _of_pair(replies: list[Any]) -> list[Recipient]:
    """Return the connections of the other user of a direct chat; no replies: it is a chat with oneself."""
    if not replies:
        return []
    pair = _pair_audience(replies)
    return pair.reached.connections if pair.known and not (pair.blocked or pair.blocks) else []


def _heard(group: GroupAudience) -> list[str]:
    """Return the members who may get a frame that is dropped if it is not allowed."""
    return [] if group.large or group.muted or not group.is_member else group.others


def _group_audience(handle: str, replies: list[Any]) -> GroupAudience:
    seen, audience, blocked, *rest = replies
    muted = seen.muted_until if seen.muted_until > time.time_ns() // 1000 else 0
    left_out = {handle, *blocked}
    others = [member for member in audience.members if member not in left_out]
    accepted = {one for part in rest for one in part}
    return GroupAudience(seen.state, seen.large, muted, others, [one for one in others if one in accepted])


def _pair_audience(replies: list[Any]) -> PairAudience:
    seen, theirs, own, reached = replies
    return PairAudience(bool(seen.epoch), theirs.blocks, own.blocks, reached)
