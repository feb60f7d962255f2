"""Inbox entries, and the pages of them that an index returns."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from chalicelib.store.realtime.connection_results import Target
from chalicelib.store.redis.sorted_sets import ScoredMember


class InboxState(IntEnum):
    """Whether a chat is in a user's inbox; LARGE: it is, and its messages are not written there.

    INVITED: it is, and the user is no member.
    """

    OUT = 0
    IN = 1
    LARGE = 2
    INVITED = 3


class InboxEntry(NamedTuple):
    """What the index should say of a chat.

    stamp: of (chat, user), µs. active: of its last activity, µs; 0: none. inviter: Handle of the sender of an
    invitation; empty for another state, and for an invitation of an earlier version.
    """

    handle: str
    stamp: int
    state: InboxState
    active: int
    inviter: str = ""


class UpdatedEntry(NamedTuple):
    """A user whose index was told of an entry; live_account: whether the account is not deleted.

    targets: their ready connections, if the chat is large: they are to be attached to it.
    """

    live_account: bool
    targets: list[Target]


class Unchecked(NamedTuple):
    """Large chats that a round of checks has not come to, each with the digest that the index holds of it.

    began: when the round began, µs; 0: there is none. more: whether there are others beside these.
    """

    began: int
    digests: dict[str, bytes]
    more: bool


class Checked(NamedTuple):
    """How a large chat is now.

    digest: DIGEST_BYTES of it. active: the time of its newest message, µs; 0 for none. version: at which its
    reader is about to be told so; 0: they are not.
    """

    chat: str
    digest: bytes
    active: int
    version: int = 0


class ActivePage(NamedTuple):
    """A page of chats by their last activity (µs), as the index knows it, and large chats to check."""

    rows: list[ScoredMember]
    large: Unchecked


class MovedChat(NamedTuple):
    """A chat, and the version at which it moved last, µs; digest: that the index holds of a large one."""

    chat: str
    version: int
    digest: bytes | None = None


class MovedPage(NamedTuple):
    """The chats that moved after a version, in that order; version: the newest. large: chats to check."""

    version: int
    rows: list[MovedChat]
    large: Unchecked
