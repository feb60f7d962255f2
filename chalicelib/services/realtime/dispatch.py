"""Dispatch of a client's frames to their handlers, and the errors that answer them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from chalicelib.errors import BadRequest, ConnectionEnded, InternalError, ParleyError, TooManyRequests
from chalicelib.logs import LOGGER
from chalicelib.schemas.realtime import ClientFrame, Delete, Edit, Ok, Pin, Pull, React, Send, Unanswered
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery import codec
from chalicelib.services.delivery.frame_push import answer
from chalicelib.services.delivery.push import PushService, error_frame
from chalicelib.services.realtime.frame_limits import FrameLimits, cost_of
from chalicelib.store.accounts.rate_limits import Rate
from chalicelib.store.accounts.sessions import id_of
from chalicelib.store.accounts.signed_identity import digest_in
from chalicelib.store.realtime.connection import Connections, FrameSender
from chalicelib.store.realtime.connection_results import Recipient
from chalicelib.store.realtime.user_connections import NAMED
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query


class Connection(NamedTuple):
    """The connection that sent a frame.

    session: Digest of the session's token; NAMED or empty: there is no session. room: Canonical id of the
    ticket's room. caller: The user as an authenticated caller. recipient: Of answers: this connection.
    """

    id: str
    handle: str
    protobuf: bool
    session: bytes
    room: str | None
    caller: Caller
    recipient: Recipient


LIMITED_BY_HANDLER = (Send, Edit, Delete, React, Pin, Pull)
"""Frames whose handlers charge the user's limit in their first round trip, unless it was charged before."""

FrameHandler = Callable[[Connection, Any], object]
"""Handles a frame of one type, and answers it; raises ParleyError."""


class LeaseRenewer(Protocol):
    """Renews a connection's lease in the slots of its user and chats."""

    def renew(self, connection: Connection) -> bool:
        """Return whether the connection may stay open; False: its session has ended."""


class FrameResult(NamedTuple):
    """The result of a frame, for the log; kind: its type, None for an unknown one."""

    kind: str | None
    error: ParleyError | None = None


class FrameDispatcher:
    """Calls the handler of each frame's type.

    An `error` frame answers a frame that fails, and the connection stays open; an unknown or ended connection
    is closed after it.

    limits: Frames a minute of a connection, and of a user over all connections. trusts_names: Whether a
    connection by name alone is trusted, as on an open server.
    """

    def __init__(
        self,
        store: Store,
        connections: Connections,
        push: PushService,
        lease: LeaseRenewer,
        handlers: Mapping[type, FrameHandler],
        limits: FrameLimits,
        *,
        trusts_names: bool,
    ) -> None:
        self._store = store
        self._connections = connections
        self._push = push
        self._lease = lease
        self._handlers = handlers
        self._limits = limits
        self._named = None if trusts_names else ""

    def handle(self, connection: str, body: str, request: str) -> FrameResult:
        """Handle a frame; request: Id of the request in the log."""
        is_protobuf = not body.lstrip().startswith("{")
        kind: str | None = None
        try:
            held, frame, rate = self._taken(connection, body)
            is_protobuf = held.protobuf
            self._check(held)
            source = self._connection(connection, held)
            frame = frame or codec.decode(body, is_protobuf, held.handle)
            kind = str(type(frame).__struct_config__.tag)
            self._handlers[type(frame)](self._limited(source, held, frame, rate), frame)
            self._confirm(source.recipient, frame)
        except ParleyError as refusal:
            error = refusal
        except Exception:
            LOGGER.exception({"event": "defect", "request_id": request})
            error = InternalError(
                f"The server failed to handle this frame. Report the request id {request}, which finds the "
                "failure in the log."
            )
        else:
            return FrameResult(kind)
        self._refuse(Recipient(connection, is_protobuf), codec.ref_of(body, is_protobuf), error)
        return FrameResult(kind, error)

    def _confirm(self, recipient: Recipient, frame: ClientFrame) -> None:
        """Answer a frame that has no reply of its own, if its client has named it."""
        if isinstance(frame, Unanswered) and frame.ref is not None:
            self._push.send(answer(recipient, Ok(ref=frame.ref)))

    def _taken(self, connection: str, body: str) -> tuple[FrameSender, ClientFrame | None, Rate | None]:
        """Renew a connection's lease, and return its user; raises ConnectionEnded.

        For a connection known to this process, the same round trip charges the frame to its user's limit.
        """
        asking = self._connections.frame(connection, self._limits.of_connection)
        frame, taking = self._taking(connection, body)
        if taking is None:
            held, rate = self._store.run(asking), None
        else:
            held, rate = self._store.run_both(asking, taking)
        self._limits.note(connection, held)
        if held is None:
            raise _ended()
        return held, frame, rate

    def _taking(self, connection: str, body: str) -> tuple[ClientFrame | None, Query[Rate | None] | None]:
        """Return a frame, and the query that charges it to its user's limit; None where they are unknown."""
        if (known := self._limits.known(connection)) is None:
            return None, None
        try:
            frame = codec.decode(body, known.protobuf, known.handle)
        except BadRequest:  # answered once the connection is found to be open
            return None, None
        taking = self._limits.taking(known, frame)
        return frame, None if taking is None else taking(cost_of(frame))

    def _check(self, held: FrameSender) -> None:
        """Raise TooManyRequests when the connection has sent too many frames."""
        if held.wait:
            seconds = math.ceil(held.wait / 1_000_000)
            raise TooManyRequests(
                f"You may send {self._limits.of_connection} frames a minute. Try again in {seconds} s.",
                headers={"Retry-After": str(seconds)},
            )

    def _connection(self, connection: str, held: FrameSender) -> Connection:
        """Return the connection that sent a frame; raises ConnectionEnded."""
        caller = Caller(self._store, held.handle, self._session_id(held))
        recipient = Recipient(connection, held.protobuf)
        found = Connection(connection, held.handle, held.protobuf, held.session, held.room, caller, recipient)
        if held.renew and not self._lease.renew(found):
            raise _ended()
        return found

    def _limited(
        self, connection: Connection, held: FrameSender, frame: ClientFrame, rate: Rate | None
    ) -> Connection:
        """Return the connection with a caller whose limit the frame is charged to; raises TooManyRequests.

        rate: The limit that was already charged; None: it was not, or there is none.
        """
        taking, charging = self._limits.taking(held, frame), self._limits.charging(held, frame)
        caller = Caller(self._store, held.handle, connection.caller.session, taking, charging)
        if rate is not None:
            caller.accept(rate)
        elif not isinstance(frame, LIMITED_BY_HANDLER):
            caller.authenticate(cost_of(frame))
        return connection._replace(caller=caller)

    def _session_id(self, held: FrameSender) -> str | None:
        """Return the id of the session for the caller."""
        if held.session == NAMED:
            return self._named
        digest = digest_in(held.session)
        return id_of(digest) if digest else ""

    def _refuse(self, recipient: Recipient, ref: str | None, error: ParleyError) -> None:
        if isinstance(error, ConnectionEnded):
            self._push.end([recipient], error, ref)
        else:
            self._push.send(answer(recipient, error_frame(error, ref)))


def _ended() -> ConnectionEnded:
    return ConnectionEnded("This connection has ended. Open another with a new ticket.")
