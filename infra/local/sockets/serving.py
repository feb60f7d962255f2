"""The sockets of one worker process, beside its HTTP gateway."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

from chalicelib import delivery
from chalicelib.config import Settings
from infra.local.events import SEGMENT_SAFE
from infra.local.sockets.edge import Edge, Handlers
from infra.local.sockets.handshake import without_port
from infra.local.sockets.links import Inbox, Kind, Order
from infra.local.sockets.management import Management, carried_out
from infra.local.sockets.pushing import LocalPusher
from infra.local.sockets.shared import Meeting
from infra.local.sockets.signatures import PREFIX, Signed


class Serving:
    """Serves sockets in the event loop of a worker, from its beginning to its end.

    handlers: the functions of the three routes.
    """

    def __init__(self, meeting: Meeting, handlers: Handlers, settings: Settings) -> None:
        self.shared = meeting.settings()
        self._meeting = meeting
        self._handlers = handlers
        self._settings = settings
        self._edge: Edge | None = None
        self._management: Management | None = None
        self._inbox: asyncio.AbstractServer | None = None

    def begin(self, loop: asyncio.AbstractEventLoop) -> None:
        """Listen for clients and for other workers, and have pushes of this process go the short way."""
        edge = Edge(self._meeting, self._handlers, self._settings, loop)
        if not self.shared.by_wire:
            delivery.install(LocalPusher(self._meeting, edge))
        self._management = Management(self._meeting, edge)
        self._edge = edge
        loop.run_until_complete(self._listen(edge))

    def end(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close all connections."""
        if self._edge is not None:
            self._meeting.path(self._edge.worker).unlink(missing_ok=True)
            loop.run_until_complete(self._edge.stop())

    async def answer(self, scope: Any, headers: dict[str, list[str]], body: bytes) -> dict[str, Any]:
        """Answer a request of the management API; scope: Granian's (RSGI)."""
        if self._management is None:
            raise RuntimeError("the sockets have not begun")
        last = {name: values[-1] for name, values in headers.items()}
        connection = scope.path.removeprefix(PREFIX)
        return await self._management.answer(Signed(scope.method, connection, last, body))

    def redirect(self, scope: Any, headers: dict[str, list[str]]) -> dict[str, Any]:
        """Tell a client that wants to open a socket here where to do so."""
        host = without_port(headers.get("host", [""])[-1])
        url = (self.shared.url or f"ws://{host}:{self.shared.port}").rstrip("/")
        query = f"?{scope.query_string}" if scope.query_string else ""
        location = f"{url}{quote(scope.path, safe=SEGMENT_SAFE + '/')}{query}"
        return {"statusCode": 307, "headers": {"Location": location}, "body": ""}

    async def _listen(self, edge: Edge) -> None:
        self._inbox = await edge.loop.create_unix_server(  # which ends with its last reference
            lambda: Inbox(lambda order: _obey(edge, order)), self._meeting.path(edge.worker)
        )
        await edge.start()


def is_upgrade(method: str, headers: dict[str, list[str]]) -> bool:
    """Say whether a request wants to become a WebSocket."""
    return method == "GET" and any(value.lower() == "websocket" for value in headers.get("upgrade", ()))


def is_management(path: str) -> bool:
    """Say whether a path, decoded, is of the management API."""
    return path.startswith(PREFIX)


def _obey(edge: Edge, order: Order) -> dict[str, Any] | None:
    if order.kind == Kind.PUSH:
        gone = edge.deliver(order.connections, order.data)
    elif order.kind == Kind.CLOSE:
        gone = edge.close(order.connections)
    else:
        return carried_out(edge, order)
    for one in gone:
        edge.forget(one)
    return None
