"""Frames pushed to connections: each is encoded as its connections read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from chalicelib.push_gateway.pusher import CloseReason, Outcome, OutgoingFrame, Pusher
from chalicelib.schemas.realtime import PresenceFrame, RoomFrame, SignalFrame, TypingFrame
from chalicelib.services.delivery import codec
from chalicelib.store.realtime.connection_results import Target

DROPPABLE = (SignalFrame, TypingFrame, PresenceFrame, RoomFrame)
"""Frames that are worth nothing later: a connection that reads too slowly goes without them."""


class AddressedFrame(NamedTuple):
    """A frame and the connections that it goes to; is_answer: it answers them, and is never dropped."""

    targets: Sequence[Target]
    frame: Struct
    is_answer: bool = False


def answer(target: Target, frame: Struct) -> AddressedFrame:
    """Return a frame for the connection that asked for it."""
    return AddressedFrame([target], frame, is_answer=True)


class FramePush:
    """Encodes frames and pushes them; the caller cleans up after connections that have gone."""

    def __init__(self, pusher: Pusher) -> None:
        self._pusher = pusher

    @property
    def inline(self) -> int:
        """Maximum number of connections that a caller pushes to by itself; 0: nothing is ever pushed."""
        return self._pusher.inline

    def send(self, frames: Iterable[AddressedFrame]) -> Outcome:
        """Push frames, all at once; those for one connection arrive in their order."""
        outgoing = [one for addressed in frames for one in _encoded(addressed)]
        return self._pusher.push(outgoing) if outgoing else Outcome([], [])

    def close(self, connections: Sequence[str], reason: CloseReason) -> None:
        """Close connections; what the store has of them is not touched."""
        if connections:
            self._pusher.close(connections, reason)


def _encoded(addressed: AddressedFrame) -> Iterator[OutgoingFrame]:
    """Encode a frame once for all connections that read JSON, and once for all that read protobuf."""
    droppable = isinstance(addressed.frame, DROPPABLE) and not addressed.is_answer
    for protobuf in (False, True):
        connections = [one.connection for one in addressed.targets if one.protobuf == protobuf]
        if connections:
            yield OutgoingFrame(connections, codec.encode(addressed.frame, protobuf), droppable)
