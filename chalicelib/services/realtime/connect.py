"""Opening connections, and what ends with them."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.config import Settings
from chalicelib.errors import NotAuthenticated, ParleyError, TooManyRequests, bad_field
from chalicelib.push_gateway import installed
from chalicelib.schemas.realtime import SUBPROTOCOL
from chalicelib.services.auth.authenticator import Authenticator
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.connection_stores import ConnectionStores
from chalicelib.services.realtime.presence import PresenceService
from chalicelib.services.realtime.rooms import RoomService
from chalicelib.services.realtime.tickets import ShownTicket
from chalicelib.services.values.chat_id import ROOM_PREFIX, ChatIds
from chalicelib.services.values.names import Names
from chalicelib.store.accounts.sessions import Details
from chalicelib.store.realtime.connection import Attachments
from chalicelib.store.realtime.user_connections import ConnectAttempt, ConnectOutcome

JSON_PROTOCOL = "parley.json"
PROTOCOLS = (SUBPROTOCOL, JSON_PROTOCOL)
"""Subprotocols of WebSocket that may be asked for, the better first; without one it is JSON too."""


class ConnectRequest(NamedTuple):
    """What a client shows to be let in; None for what it does not show.

    connection: the id that the connection will have. user: a name that wants to be trusted.
    room: the room of the path, without `r-`. protocols: the subprotocols that it speaks.
    """

    connection: str
    details: Details
    ticket: str | None = None
    bearer: str | None = None
    user: str | None = None
    room: str | None = None
    protocols: Sequence[str] = ()


class Disconnecting(threading.local):
    """The connections that a thread is about to end; None: it ends none."""

    waiting: deque[str] | None = None


class ConnectService:
    """Lets connections in, and clears up after them."""

    def __init__(
        self,
        settings: Settings,
        authenticator: Authenticator,
        names: Names,
        stores: ConnectionStores,
        rooms: RoomService,
        presence_service: PresenceService,
    ) -> None:
        self._settings = settings
        self._store, self._connections, self._user_connections, _ = stores
        self._authenticator = authenticator
        self._names = names
        self._ids = ChatIds(names)
        self._rooms = rooms
        self._presence_service = presence_service
        self._disconnecting = Disconnecting()

    def connect(self, request: ConnectRequest) -> str | None:
        """Let a connection in; returns the subprotocol that it speaks, None: none was asked for.

        Refusals count as failed logins from the address.
        Raises NotAuthenticated, TooManyRequests, BadRequest, ChatNotFound, HandleNeeded.
        """
        protocol = next((name for name in PROTOCOLS if name in request.protocols), None)
        try:
            handle, entry = self._entered(request, protobuf=protocol == SUBPROTOCOL)
        except NotAuthenticated:
            self._authenticator.take(request.details.address, "auth")
            raise
        try:
            room = self._room(request.room, entry.room)
            opening = self._connections.opening(
                request.connection, handle, entry.session, protobuf=protocol == SUBPROTOCOL, room=room
            )
            self._store.run(opening)
            # Who ends the session from here on finds the connection; who has ended it meanwhile did not.
            if not self._store.run(self._user_connections.renew(handle, request.connection)):
                raise _session_ended()
        except ParleyError:
            self._store.run(self._connections.dropping(request.connection))
            self._store.run(self._user_connections.drop(handle, request.connection))
            raise
        installed.note_user(request.connection, handle)
        return protocol

    def check_token(self, token: str, address: str) -> None:
        """Check an outside token; a refusal counts as a failed login from the address.

        Raises NotAuthenticated, IdentityUnavailable, TooManyRequests.
        """
        try:
            self._authenticator.identity(token)
        except NotAuthenticated:
            self._authenticator.take(address, "auth")
            raise

    def disconnect(self, connection: str) -> None:
        """End a connection, whoever says that it has gone; again is fine.

        Telling others may find that they have gone too: they are ended after this one, not within.
        """
        if self._disconnecting.waiting is not None:
            self._disconnecting.waiting.append(connection)
            return
        self._disconnecting.waiting = waiting = deque([connection])
        try:
            while waiting:
                self._end(waiting.popleft())
        finally:
            self._disconnecting.waiting = None

    def _end(self, connection: str) -> None:
        """Clear up; the user's lease goes last: broken off before that, the sweep does it again."""
        held = self._store.run(self._connections.attachments(connection))
        if held is None:
            return
        self._detach(connection, held)
        late = self._store.run(self._connections.dropping(connection))
        if late is not None and late != held:
            self._detach(connection, late)
        changed = self._store.run(self._user_connections.drop(held.handle, connection))
        self._presence_service.notify_watchers(held.handle, changed, online=False)

    def _detach(self, connection: str, held: Attachments) -> None:
        self._store.run_all(self._user_connections.unwatch(handle, connection) for handle in held.watched)
        self._rooms.dropped(connection, held.handle, held.chats)

    def _entered(self, request: ConnectRequest, *, protobuf: bool) -> tuple[str, ConnectAttempt]:
        """Return who comes in, and by what; raises what refuses them."""
        shown = None if request.ticket is None else ShownTicket.parse(request.ticket)
        if request.ticket is not None and shown is None:
            raise _bad_ticket()
        if shown is None:
            caller = self._caller(request)
            handle, digest, session = caller.handle, None, caller.proof
        else:
            handle, digest, session = self._names.user(shown.handle, "ticket"), shown.digest, b""
        entry = self._store.run(
            self._user_connections.connect(handle, digest, session, request.connection, protobuf=protobuf)
        )
        if entry.outcome is ConnectOutcome.NO_TICKET:
            raise _bad_ticket()
        if entry.outcome is ConnectOutcome.NO_SESSION:
            raise _session_ended()
        if entry.outcome is ConnectOutcome.TOO_MANY:
            raise TooManyRequests("You have the maximum number of connections. Close one first.")
        return handle, entry

    def _caller(self, request: ConnectRequest) -> Caller:
        """Return the caller who shows a token or a name instead of a ticket."""
        if request.bearer is not None:
            caller = self._authenticator.by_bearer(request.bearer, "write", request.details)
            caller.authenticate()
            return caller
        if request.user is None or self._settings.stage != "local" or self._settings.auth != "open":
            raise NotAuthenticated("Connect with a ticket: POST /v1/realtime/ticket gives one.")
        return self._authenticator.by_name([self._names.user(request.user, "user")])

    def _room(self, given: str | None, bound: str | None) -> str | None:
        """Return the canonical id of the room to join: the path's, and the ticket's if it is bound to one."""
        if given is None:
            return bound
        room = self._ids.parse(ROOM_PREFIX + given, "room").text
        if bound not in (None, room):
            raise bad_field("room", "the ticket is for another room")
        return room


def _session_ended() -> NotAuthenticated:
    return NotAuthenticated("The session has ended. Log in again.")


def _bad_ticket() -> NotAuthenticated:
    return NotAuthenticated(
        "The ticket is unknown, used or older than 30 s. Get another with POST /v1/realtime/ticket."
    )
