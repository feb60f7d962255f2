"""Dispatch of a client's frames to their handlers, and the errors that answer them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from chalicelib.errors import BadRequest, ConnectionEnded, InternalError, ParleyError, TooManyRequests
from chalicelib.logs import LOGGER
from chalicelib.schemas.realtime import ClientFrame, Pull, Send
from chalicelib.services.auth.caller import Caller
from chalicelib.services.delivery import codec
from chalicelib.services.delivery.frame_push import answer
from chalicelib.services.delivery.push import PushService, error_frame
from chalicelib.services.realtime.frame_limits import FrameLimits, cost_of
from chalicelib.store.accounts.rate_limits import Rate
from chalicelib.store.accounts.sessions import id_of
from chalicelib.store.accounts.signed_identity import digest_in
from chalicelib.store.realtime.connection import Connections, FrameSender
from chalicelib.store.realtime.connection_results import Target
from chalicelib.store.realtime.user_connections import NAMED
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query


class Connection(NamedTuple):
    """Whose frame it is.

    session: digest of the token of the session by which the connection came in; NAMED, empty: there is none.
    room: the canonical id of the room that its ticket was for. caller: the user as an authenticated caller.
    target: where to send the answer.
    """

    id: str
    handle: str
    protobuf: bool
    session: bytes
    room: str | None
    caller: Caller
    target: Target


LIMITED_BY_HANDLER = (Send, Pull)
"""Frames whose handlers take from the user's limit in their first round trip, unless it was done before."""

FrameHandler = Callable[[Connection, Any], object]
"""Handles a frame of one type, and answers it; raises ParleyError."""


class LeaseRenewer(Protocol):
    """Renews what a connection holds elsewhere than in its own slot."""

    def renew(self, connection: Connection) -> bool:
        """Return whether the connection may go on; False: its session has ended."""


class FrameResult(NamedTuple):
    """The result of a frame, for the log; kind: its type, None for an unknown one."""

    kind: str | None
    error: ParleyError | None = None


class FrameDispatcher:
    """Calls the handler of each frame's type.

    limits: how many frames there may be of a connection, and of a user over all connections.
    A frame that cannot be done is answered by an `error` frame, and the connection lives on; one of a
    connection that nobody knows, or no more, is answered and closed.
    trusts_names: whether who came in by a name alone is trusted, as on an open server.
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
        """Do what a frame asks; request: the id by which the log finds it."""
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
        self._refuse(Target(connection, is_protobuf), codec.ref_of(body, is_protobuf), error)
        return FrameResult(kind, error)

    def _taken(self, connection: str, body: str) -> tuple[FrameSender, ClientFrame | None, Rate | None]:
        """Renew a connection, and say whose it is; raises ConnectionEnded.

        Of one that is known, take the frame from its user's limit in the same round trip.
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
        """Return a frame, and the query that takes it from its user's limit, as far as both are known."""
        if (known := self._limits.known(connection)) is None:
            return None, None
        try:
            frame = codec.decode(body, known.protobuf, known.handle)
        except BadRequest:  # it is answered when the connection is known to live
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
        """Return whose frame it is; raises ConnectionEnded."""
        caller = Caller(self._store, held.handle, self._session_id(held))
        target = Target(connection, held.protobuf)
        found = Connection(connection, held.handle, held.protobuf, held.session, held.room, caller, target)
        if held.renew and not self._lease.renew(found):
            raise _ended()
        return found

    def _limited(
        self, connection: Connection, held: FrameSender, frame: ClientFrame, rate: Rate | None
    ) -> Connection:
        """Return the connection with a caller whose limit the frame is taken from; raises TooManyRequests.

        rate: the limit, from which it has been taken; None: it has not, or there is none.
        """
        taking, charging = self._limits.taking(held, frame), self._limits.charging(held, frame)
        caller = Caller(self._store, held.handle, connection.caller.session, taking, charging)
        if rate is not None:
            caller.accept(rate)
        elif not isinstance(frame, LIMITED_BY_HANDLER):
            caller.authenticate(cost_of(frame))
        return connection._replace(caller=caller)

    def _session_id(self, held: FrameSender) -> str | None:
        """Return the session as Caller has it."""
        if held.session == NAMED:
            return self._named
        digest = digest_in(held.session)
        return id_of(digest) if digest else ""

    def _refuse(self, target: Target, ref: str | None, error: ParleyError) -> None:
        if isinstance(error, ConnectionEnded):
            self._push.end([target], error, ref)
        else:
            self._push.send(answer(target, error_frame(error, ref)))


def _ended() -> ConnectionEnded:
    return ConnectionEnded("This connection has ended. Open another with a new ticket.")
