"""Presence: reads of it, and watches that notify of changes."""

from __future__ import annotations

from chalicelib.errors import bad_field, no_user
from chalicelib.schemas.presence import UserPresence
from chalicelib.schemas.realtime import MAX_WATCHED, PresenceFrame, Watch
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.frame_push import answer
from chalicelib.services.delivery.presence_notices import last_seen, presence_row
from chalicelib.services.delivery.push import PushService
from chalicelib.services.realtime.dispatch import Connection
from chalicelib.services.values.names import Names
from chalicelib.store.realtime.connection import Connections
from chalicelib.store.realtime.connection_results import ShownPresence
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store

UNSEEN = ShownPresence(online=False, seen=0)
"""The presence of a user who never connected, and of one who blocks the reader."""


class PresenceService:
    """The rules of presence: a user is online while a connection of theirs is open that has sent hello.

    To a blocked user, the blocking user was never online; the blocked user gets no notice of changes.
    """

    def __init__(
        self,
        store: Store,
        user_connections: UserConnections,
        connections: Connections,
        names: Names,
        push: PushService,
    ) -> None:
        self._store = store
        self._user_connections = user_connections
        self._connections = connections
        self._names = names
        self._push = push

    def of(self, caller: Caller, name: str) -> UserPresence:
        """Return whether a user is online, in the round trip that authenticates the caller.

        name: As the caller wrote it. Raises UserNotFound, BadRequest.
        """
        handle = self._names.user(name, "handle")
        shown = caller.read(self._user_connections.of(handle, caller.handle))
        if shown is None:
            raise no_user(handle)
        return UserPresence(handle=handle, online=shown.online, last_seen_at=last_seen(shown))

    def watch(self, connection: Connection, frame: Watch) -> None:
        """Reply with users' presence, and notify the connection of changes; replaces its earlier watch.

        Takes one round trip to the connection's slot, one or two to the users' slots (100 queries each, one
        for each user watched now or before), and the reply. A user who never connected is offline.
        Raises BadRequest.
        """
        if len(frame.users) > MAX_WATCHED:
            raise bad_field("users", f"at most {MAX_WATCHED} users can be watched")
        handles = list(dict.fromkeys(self._names.user(name, "users") for name in frame.users))
        before = self._store.run(self._connections.watching(connection.id, *handles))
        watching = [
            self._user_connections.watch(
                handle, connection.id, connection.handle, protobuf=connection.protobuf
            )
            for handle in handles
        ]
        gone = [
            self._user_connections.unwatch(handle, connection.id)
            for handle in before
            if handle not in handles
        ]
        shown: list[ShownPresence | None] = self._store.run_all([*watching, *gone])[: len(handles)]
        rows = [presence_row(handle, one or UNSEEN) for handle, one in zip(handles, shown, strict=True)]
        self._push.send(answer(connection.recipient, PresenceFrame(users=rows, ref=frame.ref)))
