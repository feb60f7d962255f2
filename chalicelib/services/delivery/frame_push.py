"""Encodes frames as JSON or protobuf, and pushes them to connections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from chalicelib.push_gateway.pusher import CloseReason, Outcome, OutgoingFrame, Pusher
from chalicelib.schemas.realtime import ChatFrame, PresenceFrame, RoomFrame, SignalFrame, TypingFrame
from chalicelib.services.delivery import codec
from chalicelib.store.realtime.connection_results import Recipient

DROPPABLE = frozenset((SignalFrame, TypingFrame, PresenceFrame, RoomFrame, ChatFrame))
"""Frames that are useless later, or that a sync repeats: a connection that reads too slowly gets none."""


class AddressedFrame(NamedTuple):
    """A frame and its recipients; is_answer: Whether it answers them; such a frame is never dropped."""

    recipients: Sequence[Recipient]
    frame: Struct
    is_answer: bool = False


def answer(recipient: Recipient, frame: Struct) -> AddressedFrame:
    """Return a frame addressed to the connection that requested it."""
    return AddressedFrame([recipient], frame, is_answer=True)


class FramePush:
    """Encodes frames and pushes them; the caller cleans up after ended connections."""

    def __init__(self, pusher: Pusher) -> None:
        self._pusher = pusher

    @property
    def inline(self) -> int:
        """Maximum number of connections that a request pushes to itself; 0: nothing is ever pushed."""
        return self._pusher.inline

    def send(self, frames: Iterable[AddressedFrame]) -> Outcome:
        """Push frames, all at once; those for one connection arrive in their order."""
        outgoing = [one for addressed in frames for one in _encoded(addressed)]
        return self._pusher.push(outgoing) if outgoing else Outcome([], [])

    def close(self, connections: Sequence[str], reason: CloseReason) -> None:
        """Close connections; the store's records of them stay."""
        if connections:
            self._pusher.close(connections, reason)


def _encoded(addressed: AddressedFrame) -> Iterator[OutgoingFrame]:
    """Encode a frame once for all connections that read JSON, and once for all that read protobuf."""
    droppable = type(addressed.frame) in DROPPABLE and not addressed.is_answer
    for protobuf in (False, True):
        connections = [one.connection for one in addressed.recipients if one.protobuf == protobuf]
        if connections:
            yield OutgoingFrame(connections, codec.encode(addressed.frame, protobuf), droppable)
