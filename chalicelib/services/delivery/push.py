"""Pushes frames to connections, and cleans up after the connections that have ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.errors import ConnectionEnded, ParleyError
from chalicelib.logs import LOGGER
from chalicelib.push_gateway.pusher import SESSION_ENDED, CloseReason
from chalicelib.schemas.realtime import ErrorFrame
from chalicelib.services.delivery.frame_push import AddressedFrame, FramePush
from chalicelib.store.realtime.connection_results import Recipient


class PushService:
    """Pushes frames, and cleans up after connections that have ended.

    disconnect: Cleans up after a connection, by its id.
    """

    def __init__(self, frames: FramePush, disconnect: Callable[[str], None]) -> None:
        self._frames = frames
        self._disconnect = disconnect

    @property
    def inline(self) -> int:
        """Maximum number of connections that a request pushes to itself; 0: nothing is ever pushed."""
        return self._frames.inline

    def send(self, *frames: AddressedFrame) -> set[str]:
        """Push frames, all at once; return the connections that a frame missed and that may be open."""
        outcome = self._frames.send(frames)
        for connection in outcome.gone:
            try:
                self._disconnect(connection)
            except Exception:  # the sweep of leases ends it later
                LOGGER.exception({"event": "connection_not_dropped"})
        return set(outcome.failed)

    def end(
        self,
        recipients: Sequence[Recipient],
        error: ConnectionEnded,
        ref: str | None = None,
        reason: CloseReason = SESSION_ENDED,
    ) -> None:
        """Send connections the reason as an error frame, and close them; the caller cleans up after them.

        ref: Of the frame that this answers.
        """
        self.send(AddressedFrame(recipients, error_frame(error, ref)))
        self._frames.close([recipient.connection for recipient in recipients], reason)


def error_frame(error: ParleyError, ref: str | None = None) -> ErrorFrame:
    """Return an error as a frame; ref: Of the frame that failed."""
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
