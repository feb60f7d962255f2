"""The login sessions of a user."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from msgspec import structs

from chalicelib.errors import SessionNotFound
from chalicelib.schemas.accounts import Devices, Session
from chalicelib.schemas.users import ExportedSession
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.session_close import SessionCloser
from chalicelib.services.values.times import rfc3339
from chalicelib.store.accounts.sessions import SessionInfo, Sessions
from chalicelib.store.accounts.signed_identity import issued_in
from chalicelib.store.redis.client import Store

SESSION_ID = re.compile(r"[0-9a-f]{16}", re.ASCII)
SWEPT_OF_PARTITION = 40
"""Maximum number of users of each of the 256 partitions whose expired sessions one sweep drops."""


class SessionService:
    """Lists sessions, and ends them with their connections.

    clock: Returns seconds since 1970.
    """

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        session_closer: SessionCloser,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._session_closer = session_closer
        self._clock = clock

    def all(self, caller: Caller) -> Devices:
        """Return the caller's sessions, most recently used first."""
        now = self._clock() * 1_000_000
        live = [
            device for device in self._store.run(self._sessions.of(caller.handle)) if device.expires > now
        ]
        return Devices([_listed(device, caller.session) for device in live])

    def end(self, caller: Caller, session: str) -> None:
        """End one of the caller's sessions; raises SessionNotFound."""
        if not (
            SESSION_ID.fullmatch(session) and self._store.run(self._sessions.end(caller.handle, session))
        ):
            raise SessionNotFound(f"You have no session {session}.")
        self._session_closer.close_session(caller.handle, session)

    def end_all(self, caller: Caller) -> None:
        """End all the caller's sessions, and reject tokens that an outside issuer has signed until now."""
        self._store.run(self._sessions.end_all(caller.handle, issued_in(caller.signed)))
        self._session_closer.close_all(caller.handle)

    def sweep(self) -> int:
        """Delete expired sessions of all users; return their number.

        Takes three round trips, and one for each 100 users. Raises StoreUnavailable.
        """
        handles = self._store.run(self._sessions.expired(SWEPT_OF_PARTITION))
        return sum(self._store.run_all(map(self._sessions.drop_expired, handles)))

    def log_out(self, caller: Caller) -> None:
        """End the caller's current session; all sessions of a caller with a signed identity."""
        if caller.session:
            self._store.run(self._sessions.end(caller.handle, caller.session))
            self._session_closer.close_session(caller.handle, caller.session)
        else:
            self.end_all(caller)


def exported(device: SessionInfo) -> ExportedSession:
    """Return a session as the archive of its user shows it."""
    return ExportedSession(
        id=device.id,
        made_at=rfc3339(device.made),
        seen_at=rfc3339(device.seen),
        expires_at=rfc3339(device.expires),
        address=device.details.address,
        agent=device.details.agent,
    )


def _listed(device: SessionInfo, current: str | None) -> Session:
    return Session(**structs.asdict(exported(device)), current=device.id == current)
