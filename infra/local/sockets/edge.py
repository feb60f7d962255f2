"""The WebSocket server of one worker: it accepts connections, calls the handlers, and pushes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from picows import WSCloseCode

from chalicelib.config import Settings
from chalicelib.errors import Overloaded
from chalicelib.logs import LOGGER
from chalicelib.push_gateway.pusher import CloseReason
from infra.local.descriptors import Descriptors
from infra.local.events import LambdaContext
from infra.local.pipeline import greenlets
from infra.local.requests import Request
from infra.local.sockets import handshake
from infra.local.sockets.close_codes import GOING_AWAY, NORMAL
from infra.local.sockets.connection import Connection, Host, Turn
from infra.local.sockets.events import SocketEvents
from infra.local.sockets.outside import OutsideTokens, Prove
from infra.local.sockets.shared import Meeting, new_connection_id
from infra.local.sockets.turns import Turns
from infra.local.sockets.unread import Unread
from infra.local.sockets.wire import Wire

WIRE_THREADS = 16
MIN_LOOK_SECONDS, MAX_LOOK_SECONDS = 0.05, 1.0
STOP_SECONDS = 1.0
POLL_SECONDS = 0.01

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]


class Handlers(NamedTuple):
    """The functions of `$connect`, `$default` and `$disconnect`; prove: See OutsideTokens."""

    connect: Handler
    message: Handler
    disconnect: Handler
    prove: Prove | None = None


class Edge:
    """Serves sockets in one event loop.

    worker: Name of this run of the worker, the prefix of its connections' ids. connections: Open connections,
    by id. unread: Limits the bytes that they leave unread.
    """

    def __init__(
        self, meeting: Meeting, handlers: Handlers, settings: Settings, loop: asyncio.AbstractEventLoop
    ) -> None:
        shared = meeting.settings
        self.loop = loop
        self.limits = shared.limits
        self.worker = meeting.new_name()
        self.connections: dict[str, Connection] = {}
        self.unread = Unread(self.limits)
        self._users: dict[str, str] = {}
        self._shared = shared
        self._handlers = handlers
        self._upgrade_rules = handshake.UpgradeRules(settings, shared.port)
        threads = WIRE_THREADS if shared.by_wire else 0
        self._turns = Turns(loop, self._call, shuffled=shared.shuffle, threads=threads)
        self._host = Host(loop, self.limits, self._opened, self._turns.add, self._ended, self.unread.grew)
        prove = handlers.prove if settings.oidc_issuer is not None else None
        self._outside = None if prove is None else OutsideTokens(prove)
        self._descriptors = Descriptors()
        self._stopping = False

    def start(self) -> None:
        """Begin to end connections that are too old or idle for too long."""
        self._look()

    async def connect(self, request: Request, head: bytes, descriptor: int) -> dict[str, Any] | Wire:
        """Call `$connect` for an upgrade request; return its refusal, or what goes on with the connection.

        head: As the client wrote it. descriptor: Of the connection. Raises ParleyError.
        """
        if self._stopping:
            raise Overloaded("The server is stopping. Connect again.")
        if self._descriptors.refuses(descriptor):
            raise Overloaded("The server has the maximum number of connections. Connect again later.")
        opening = self._upgrade_rules.opening(request, head, new_connection_id(self.worker))
        if self._outside is not None:
            await self._outside.check(request)
        events = SocketEvents(opening)
        answer, user = await self._asked(events.connect(opening), opening.connection)
        if not handshake.is_success(answer):
            return answer
        connection = Connection(self._host, opening.connection, events, user)
        return Wire(handshake.asked_again(request), handshake.accepted(answer), connection, self.limits)

    async def _asked(self, event: dict[str, Any], connection: str) -> tuple[dict[str, Any], str]:
        """Return the answer of `$connect`, and the user that it has set for the connection."""
        context = LambdaContext(event["requestContext"]["requestId"])
        try:
            answer = await greenlets.run(self._handlers.connect, event, context)
        finally:
            user = self._users.pop(connection, "")
        return answer, user

    async def stop(self) -> None:
        """Close every connection with 1001, and call `$disconnect` for STOP_SECONDS at most."""
        self._stopping = True
        for connection in list(self.connections.values()):
            connection.close(WSCloseCode.GOING_AWAY, GOING_AWAY[1])
        deadline = time.monotonic() + STOP_SECONDS
        while not self._turns.idle and time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)

    def deliver(self, connections: Iterable[str], data: bytes, *, droppable: bool = False) -> list[str]:
        """Send a text frame to connections of this worker; return the ids of those that are not open.

        Call it only from the loop's thread. It does not wait: unread bytes are kept for a client, up to a
        limit. droppable: Whether to skip clients that read too slowly.
        """
        gone = []
        find, now = self.connections.get, time.monotonic()
        for one in connections:
            connection = find(one)
            if connection is None:
                gone.append(one)
            elif not (droppable and connection.is_behind):
                connection.active = now
                connection.send(data)
        return gone

    def close(self, connections: Iterable[str], ending: CloseReason = NORMAL) -> list[str]:
        """Close connections; return the ids of those that are not open. Call it from the loop's thread."""
        gone = []
        for one in connections:
            if (connection := self.connections.get(one)) is None:
                gone.append(one)
            else:
                connection.close(*ending)
        return gone

    def forget(self, connection: str) -> None:
        """Call `$disconnect` for a connection that this worker does not have."""
        self._turns.add(Connection.lost(self._host, connection))

    def _opened(self, connection: Connection) -> None:
        self.connections[connection.id] = connection
        self.unread.opened(connection)

    def _ended(self, connection: Connection) -> None:
        if self.connections.pop(connection.id, None) is not None:
            self.unread.gone(connection)
            self._turns.add(connection)

    def note_user(self, connection: str, user: str) -> None:
        """Record the user of a connection that `$connect` is about to accept."""
        self._users[connection] = user

    def _call(self, connection: Connection, turn: Turn) -> None:
        request_id = turn.event["requestContext"]["requestId"]
        handler: Handler = getattr(self._handlers, turn.handler)
        try:
            handler(turn.event, LambdaContext(request_id))
        except Exception:
            LOGGER.exception({"event": "defect", "route": turn.handler, "request_id": request_id})
            self.loop.call_soon_threadsafe(connection.send_defect, request_id)

    def _look(self) -> None:
        """Close the connections that are too old or idle for too long; check again later."""
        limits, now = self.limits, time.monotonic()
        for connection in list(self.connections.values()):
            idle, age = now - connection.active, now - connection.since
            if idle > limits.idle_seconds or age > limits.life_seconds:
                connection.close(WSCloseCode.GOING_AWAY, GOING_AWAY[1])
        seconds = min(limits.idle_seconds, limits.life_seconds) / 10
        self.loop.call_later(min(max(seconds, MIN_LOOK_SECONDS), MAX_LOOK_SECONDS), self._look)
