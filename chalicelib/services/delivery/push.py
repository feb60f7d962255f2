"""Frames to whoever is connected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from msgspec import Struct

from chalicelib.errors import ConnectionEnded, ParleyError
from chalicelib.logs import LOGGER
from chalicelib.push_gateway.installed import prepare
from chalicelib.push_gateway.pusher import SESSION_ENDED, CloseReason, OutgoingFrame, Pusher
from chalicelib.schemas.realtime import ErrorFrame, PresenceFrame, RoomFrame, SignalFrame, TypingFrame
from chalicelib.services.delivery import codec
from chalicelib.store.realtime.user_connections import Target

Frames = tuple[Iterable[Target], Struct]
"""A frame, and the connections that it goes to."""
DROPPABLE = (SignalFrame, TypingFrame, PresenceFrame, RoomFrame)
"""Frames that are worth nothing later: unless they answer, a connection that is behind does without them."""


class PushService:
    """Encodes frames as each connection reads them, pushes them, and drops the connections that have gone.

    drop: takes a connection off whatever it stands in; it may push in turn.
    """

    def __init__(self, pusher: Pusher, drop: Callable[[str], None]) -> None:
        self._pusher = pusher
        self._drop = drop

    @property
    def inline(self) -> int:
        """To how many connections a caller may push and wait; 0: nothing is ever pushed here."""
        return self._pusher.inline

    def prepare(self) -> None:
        """Make ahead of time what the first push would make, but for its connections."""
        prepare(self._pusher)

    def send(self, targets: Iterable[Target], frame: Struct) -> bool:
        """Push a frame to connections; returns whether it reached all that live."""
        return not self.send_all([(targets, frame)])

    def reply(self, target: Target, frame: Struct) -> None:
        """Push a frame to the connection that asked for it."""
        self._push(_outgoing([target], frame, droppable=False))

    def send_all(self, frames: Iterable[Frames]) -> set[str]:
        """Push frames all at once; returns the connections that may live and that one did not reach."""
        return self._push(
            [
                parcel
                for targets, frame in frames
                for parcel in _outgoing(list(targets), frame, droppable=isinstance(frame, DROPPABLE))
            ]
        )

    def _push(self, parcels: Sequence[OutgoingFrame]) -> set[str]:
        if not parcels:
            return set()
        outcome = self._pusher.push(parcels)
        for connection in outcome.gone:
            try:
                self._drop(connection)
            except Exception:  # the sweep of leases drops it at last
                LOGGER.exception({"event": "connection_not_dropped"})
        return set(outcome.failed)

    def close(self, connections: Sequence[str], reason: CloseReason) -> None:
        """Close connections; the caller takes them off what they stand in."""
        if connections:
            self._pusher.close(connections, reason)

    def end(
        self,
        targets: Sequence[Target],
        error: ConnectionEnded,
        ref: str | None = None,
        reason: CloseReason = SESSION_ENDED,
    ) -> None:
        """Say to connections why they end, and close them; ref: of the frame that this answers."""
        self.send(targets, error_frame(error, ref))
        self.close([target.connection for target in targets], reason)


def _outgoing(targets: Sequence[Target], frame: Struct, *, droppable: bool) -> list[OutgoingFrame]:
    """Return a frame encoded once for all that read JSON, and once for all that read protobuf."""
    parcels = []
    for protobuf in (False, True):
        connections = [target.connection for target in targets if target.protobuf == protobuf]
        if connections:
            parcels.append(OutgoingFrame(connections, codec.encode(frame, protobuf), droppable))
    return parcels


def error_frame(error: ParleyError, ref: str | None = None) -> ErrorFrame:
    """Return the frame that says what could not be done; ref: of the frame that asked for it."""
    wait = error.headers.get("Retry-After")
    return ErrorFrame(
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        errors=list(error.errors),
        retry_after=None if wait is None else int(wait),
        ref=ref,
    )
