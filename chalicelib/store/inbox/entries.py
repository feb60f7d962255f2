"""Inbox entries, and the pages of them that an index returns."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple

from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.redis.sorted_sets import ScoredMember


class InboxState(IntEnum):
    """Whether a chat is in a user's inbox.

    LARGE: It is, and its messages are not written there. INVITED: It is, and the user is not a member.
    """

    OUT = 0
    IN = 1
    LARGE = 2
    INVITED = 3


class InboxEntry(NamedTuple):
    """A user's inbox entry of a chat, as the index should have it.

    stamp: Of (chat, user), µs. active: Time of the last activity, µs; 0: none. inviter: Handle of the sender
    of an invitation; empty for another state, and for an invitation of an earlier version.
    """

    handle: str
    stamp: int
    state: InboxState
    active: int
    inviter: str = ""


class UpdatedEntry(NamedTuple):
    """The result of writing a user's inbox entry.

    live_account: Whether the account is not deleted. recipients: If the chat is large, the user's ready
    connections, which the caller attaches to it.
    """

    live_account: bool
    recipients: list[Recipient]


class Unchecked(NamedTuple):
    """Large chats that a round of checks has not reached, each with the digest that the index holds.

    began: When the round began, µs; 0: there is none. more: Whether there are others.
    """

    began: int
    digests: dict[str, bytes]
    more: bool


class Checked(NamedTuple):
    """The state of a large chat at a check.

    digest: DIGEST_BYTES of its state. active: Time of the newest message, µs; 0: none. version: The sync
    version about to be sent to the reader; 0: none is.
    """

    chat: str
    digest: bytes
    active: int
    version: int = 0


class ActivePage(NamedTuple):
    """A page of chats by the time of their last activity (µs) in the index, and large chats to check."""

    rows: list[ScoredMember]
    large: Unchecked


class MovedChat(NamedTuple):
    """A chat and the version of its last change, µs; digest: Of a large chat, as the index holds it."""

    chat: str
    version: int
    digest: bytes | None = None


class MovedPage(NamedTuple):
    """The chats that changed after a version, oldest change first.

    version: The newest version of the index. large: Large chats to check.
    """

    version: int
    rows: list[MovedChat]
    large: Unchecked
