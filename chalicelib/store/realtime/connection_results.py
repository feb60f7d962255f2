"""Results of queries about the connections of users."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Recipient(NamedTuple):
    """A connection that receives a frame; protobuf: Whether it reads protobuf instead of JSON."""

    connection: str
    protobuf: bool


class PresenceChange(NamedTuple):
    """The effect of a new or ended connection on its user's presence.

    changed: Whether the user went online or offline. seen: When the user was last online, µs since 1970; 0:
    never, or online now. watchers: Connections to notify of the change, without those of users whom the user
    has blocked.
    """

    changed: bool
    seen: int
    watchers: list[Recipient]


class ShownPresence(NamedTuple):
    """Whether a user is online; seen: When they last were, µs since 1970; 0: never, online now, or hidden."""

    online: bool
    seen: int


class WatchedPresence(NamedTuple):
    """A user's presence as one watcher sees it; recipients: The watcher's connections."""

    shown: ShownPresence
    recipients: list[Recipient]


class DueConnections(NamedTuple):
    """Connections for the sweep, each a handle and an id.

    expired: Their leases have expired. too_long: Their leases end later than any lease given now, because the
    store's clock has fallen back.
    """

    expired: list[tuple[str, str]]
    too_long: list[tuple[str, str]]


class ConnectOutcome(IntEnum):
    """The outcome of an attempt to connect."""

    OK = 0
    NO_TICKET = 1
    NO_SESSION = 2
    TOO_MANY = 3


class ConnectAttempt(NamedTuple):
    """An attempt to connect; session: Digest of the session's token, or empty. room: The ticket's room."""

    outcome: ConnectOutcome
    session: bytes
    room: str | None


def recipients_of(json: bytes, protobuf: bytes) -> list[Recipient]:
    """Return the connections in a script's reply: each kind is text with `\\0` between them."""
    kinds = ((json, False), (protobuf, True))
    return [Recipient(one, kind) for text, kind in kinds if text for one in text.decode().split("\0")]
