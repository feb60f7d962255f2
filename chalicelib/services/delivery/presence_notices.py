"""Notices for watchers of a user's presence."""

from __future__ import annotations

from chalicelib.errors import StoreUnavailable
from chalicelib.logs import LOGGER, cause_of
from chalicelib.schemas.realtime import Presence, PresenceFrame
from chalicelib.services.delivery.frame_push import AddressedFrame
from chalicelib.services.delivery.push import PushService
from chalicelib.services.values.times import rfc3339
from chalicelib.store.realtime.connection_results import PresenceChange, ShownPresence
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store


class PresenceNotices:
    """Notifies a watcher after a block or its end."""

    def __init__(self, store: Store, user_connections: UserConnections, push: PushService) -> None:
        self._store = store
        self._user_connections = user_connections
        self._push = push

    def notify_watcher(self, handle: str, watcher: str) -> None:
        """Push a user's presence to a watcher, in one round trip and a push.

        A failure of the store is logged; the next `watch` frame reads the presence again.
        """
        if not self._push.inline:
            return
        try:
            found = self._store.run(self._user_connections.watching(handle, watcher))
            if found is not None and found.recipients:
                row = presence_row(handle, found.shown)
                self._push.send(AddressedFrame(found.recipients, PresenceFrame(users=[row])))
        except StoreUnavailable as error:
            LOGGER.warning({"event": "presence_not_pushed", **cause_of(error)})


def presence_change(handle: str, change: PresenceChange, *, online: bool) -> list[AddressedFrame]:
    """Return the notice for watchers that a user went online or offline; empty if neither happened."""
    if not (change.changed and change.watchers):
        return []
    row = presence_row(handle, ShownPresence(online, change.seen))
    return [AddressedFrame(change.watchers, PresenceFrame(users=[row]))]


def presence_row(handle: str, shown: ShownPresence) -> Presence:
    """Return a user's presence as the row of a frame."""
    return Presence(user=handle, online=shown.online, last_seen_at=last_seen(shown))


def last_seen(shown: ShownPresence) -> str | None:
    """Return when a user was last online; None: online now, never online, or hidden from the reader."""
    return rfc3339(shown.seen) if shown.seen and not shown.online else None
