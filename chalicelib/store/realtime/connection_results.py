"""What queries about the connections of users return."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Target(NamedTuple):
    """A connection that something goes to; protobuf: it takes that, and no JSON."""

    connection: str
    protobuf: bool


class PresenceChange(NamedTuple):
    """What came of a connection's coming or going.

    changed: the user went online, or offline. seen: when they were online last, µs since 1970; 0: never, or
    they are online. watchers: whom to tell, when it changed, but for those whom the user has blocked.
    """

    changed: bool
    seen: int
    watchers: list[Target]


class ShownPresence(NamedTuple):
    """Whether a user is online, and when they were last, µs since 1970; 0: never, or nobody's business."""

    online: bool
    seen: int


class WatchedPresence(NamedTuple):
    """How a user is shown to one of those who watch them, and that one's connections that do."""

    shown: ShownPresence
    targets: list[Target]


class DueConnections(NamedTuple):
    """Connections that the sweep has to do with, each a handle and an id.

    expired: they were not dropped. too_long: their leases end later than any that is given now, as the
    store's clock has fallen back since.
    """

    expired: list[tuple[str, str]]
    too_long: list[tuple[str, str]]


class ConnectOutcome(IntEnum):
    """What comes of an attempt to connect."""

    OK = 0
    NO_TICKET = 1
    NO_SESSION = 2
    TOO_MANY = 3


class ConnectAttempt(NamedTuple):
    """An attempt to connect; session: the digest of its token, or empty. room: the one of the ticket."""

    outcome: ConnectOutcome
    session: bytes
    room: str | None


def targets_of(json: bytes, protobuf: bytes) -> list[Target]:
    """Return the connections in a script's reply: each kind is text with `\\0` between them."""
    kinds = ((json, False), (protobuf, True))
    return [Target(one, kind) for text, kind in kinds if text for one in text.decode().split("\0")]
