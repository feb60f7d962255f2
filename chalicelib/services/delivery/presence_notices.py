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
        """Push to a watcher how a user is shown to them now, in one round trip and a push.

        A store that fails is logged: the next `watch` shows it.
        """
        if not self._push.inline:
            return
        try:
            found = self._store.run(self._user_connections.watching(handle, watcher))
            if found is not None and found.targets:
                row = presence_row(handle, found.shown)
                self._push.send(AddressedFrame(found.targets, PresenceFrame(users=[row])))
        except StoreUnavailable as error:
            LOGGER.warning({"event": "presence_not_pushed", **cause_of(error)})


def presence_change(handle: str, change: PresenceChange, *, online: bool) -> list[AddressedFrame]:
    """Return the notice for watchers that a user has come or gone; none if that made no difference."""
    if not (change.changed and change.watchers):
        return []
    row = presence_row(handle, ShownPresence(online, change.seen))
    return [AddressedFrame(change.watchers, PresenceFrame(users=[row]))]


def presence_row(handle: str, shown: ShownPresence) -> Presence:
    """Return a user's presence as frames have it."""
    return Presence(user=handle, online=shown.online, last_seen_at=last_seen(shown))


def last_seen(shown: ShownPresence) -> str | None:
    """Return when a user was last online; None: they are online, or never were, or it is not shown."""
    return rfc3339(shown.seen) if shown.seen and not shown.online else None
