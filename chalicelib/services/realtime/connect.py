"""Requests to open a connection: authenticated, then accepted or refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chalicelib.config import Settings
from chalicelib.errors import NotAuthenticated, ParleyError, TooManyRequests, bad_field
from chalicelib.push_gateway import installed
from chalicelib.schemas.realtime import SUBPROTOCOL
from chalicelib.services.auth.authenticator import Authenticator
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery.connection_stores import ConnectionStores
from chalicelib.services.realtime.tickets import ShownTicket
from chalicelib.services.values.chat_id import ROOM_PREFIX, ChatIds
from chalicelib.services.values.names import Names
from chalicelib.store.accounts.sessions import Details
from chalicelib.store.realtime.connection_results import ConnectAttempt, ConnectOutcome

JSON_PROTOCOL = "parley.json"
PROTOCOLS = (SUBPROTOCOL, JSON_PROTOCOL)
"""Subprotocols by preference; a connection without one uses JSON."""


class ConnectRequest(NamedTuple):
    """A client's request to open a connection; a missing credential is None.

    connection: Id of the new connection. user: A bare name, which only an open local server trusts. room: The
    room in the path, without `r-`. protocols: The subprotocols that the client supports.
    """

    connection: str
    details: Details
    ticket: str | None = None
    bearer: str | None = None
    user: str | None = None
    room: str | None = None
    protocols: Sequence[str] = ()


class ConnectService:
    """Accepts or refuses connections."""

    def __init__(
        self,
        settings: Settings,
        authenticator: Authenticator,
        names: Names,
        ids: ChatIds,
        stores: ConnectionStores,
    ) -> None:
        self._settings = settings
        self._store, self._connections, self._user_connections, _ = stores
        self._authenticator = authenticator
        self._names = names
        self._ids = ids

    def connect(self, request: ConnectRequest) -> str | None:
        """Accept a connection; return its subprotocol, or None if the client requests none.

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
            opening = self._connections.open(
                request.connection, handle, entry.session, protobuf=protocol == SUBPROTOCOL, room=room
            )
            self._store.run(opening)
            # A session that ends from here on closes the connection; one that ended before could not.
            if not self._store.run(self._user_connections.renew(handle, request.connection)):
                raise _session_ended()
        except ParleyError:
            self._store.run(self._connections.forget(request.connection))
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

    def _entered(self, request: ConnectRequest, *, protobuf: bool) -> tuple[str, ConnectAttempt]:
        """Return the user and the accepted attempt; raises NotAuthenticated, TooManyRequests, BadRequest."""
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
        """Return the caller of a request with a token or a name instead of a ticket."""
        if request.bearer is not None:
            caller = self._authenticator.by_bearer(request.bearer, "write", request.details)
            caller.authenticate()
            return caller
        if request.user is None or self._settings.stage != "local" or self._settings.auth != "open":
            raise NotAuthenticated("Connect with a ticket: POST /v1/realtime/ticket gives one.")
        return self._authenticator.by_name([self._names.user(request.user, "user")])

    def _room(self, given: str | None, bound: str | None) -> str | None:
        """Return the canonical id of the room to join, from the path or the ticket; they must agree."""
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
