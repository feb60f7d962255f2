"""Pushes to connections, with the clean-up after those that turn out to have gone."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.errors import ConnectionEnded, ParleyError
from chalicelib.logs import LOGGER
from chalicelib.push_gateway.pusher import SESSION_ENDED, CloseReason
from chalicelib.schemas.realtime import ErrorFrame
from chalicelib.services.delivery.frame_push import AddressedFrame, FramePush
from chalicelib.store.realtime.connection_results import Target


class PushService:
    """Pushes frames, and disconnects the connections that have gone.

    disconnect: cleans up after a connection, by its id.
    """

    def __init__(self, frames: FramePush, disconnect: Callable[[str], None]) -> None:
        self._frames = frames
        self._disconnect = disconnect

    @property
    def inline(self) -> int:
        """Maximum number of connections that a caller pushes to by itself; 0: nothing is ever pushed."""
        return self._frames.inline

    def send(self, *frames: AddressedFrame) -> set[str]:
        """Push frames, all at once; return the connections that may live and that a frame did not reach."""
        outcome = self._frames.send(frames)
        for connection in outcome.gone:
            try:
                self._disconnect(connection)
            except Exception:  # the sweep of leases ends it at last
                LOGGER.exception({"event": "connection_not_dropped"})
        return set(outcome.failed)

    def end(
        self,
        targets: Sequence[Target],
        error: ConnectionEnded,
        ref: str | None = None,
        reason: CloseReason = SESSION_ENDED,
    ) -> None:
        """Tell connections why they end, and close them; the caller cleans up after them.

        ref: the `ref` of the frame that this answers.
        """
        self.send(AddressedFrame(targets, error_frame(error, ref)))
        self._frames.close([target.connection for target in targets], reason)


def error_frame(error: ParleyError, ref: str | None = None) -> ErrorFrame:
    """Return the frame that says what could not be done; ref: the `ref` of the frame that asked for it."""
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
