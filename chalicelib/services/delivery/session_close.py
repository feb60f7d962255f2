"""Closes the connections of ended sessions."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.errors import StoreUnavailable, session_ended
from chalicelib.logs import LOGGER, cause_of
from chalicelib.services.delivery.push import PushService
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store


class SessionCloser:
    """Closes the connections of ended sessions.

    A failure of the store is logged; such a connection ends at the next renewal of its lease.

    disconnect: Cleans up after a connection, by its id.
    """

    def __init__(
        self,
        store: Store,
        user_connections: UserConnections,
        push: PushService,
        disconnect: Callable[[str], None],
    ) -> None:
        self._store = store
        self._user_connections = user_connections
        self._push = push
        self._disconnect = disconnect

    def close_session(self, handle: str, session: str) -> None:
        """Close the connections of a session, by its id."""
        self._close(handle, bytes.fromhex(session))

    def close_all(self, handle: str, *, keep: bytes = b"") -> None:
        """Close a user's connections, except of the session whose token has the digest `keep`."""
        self._close(handle, b"", keep)

    def _close(self, handle: str, session: bytes, keep: bytes = b"") -> None:
        if not self._push.inline:  # nobody can be connected
            return
        try:
            ended = self._store.run(self._user_connections.drop_session(handle, session, keep))
            self._push.end(ended, session_ended())
            for recipient in ended:
                self._disconnect(recipient.connection)
        except StoreUnavailable as error:
            LOGGER.warning({"event": "connections_not_closed", **cause_of(error)})
