"""The sockets of one worker process, beside its HTTP gateway."""

from __future__ import annotations

import asyncio
import functools
from typing import Any
from urllib.parse import unquote

from chalicelib import queues
from chalicelib.config import Settings
from chalicelib.logs import LOGGER
from chalicelib.push_gateway import installed
from infra.local.requests import Request
from infra.local.sockets.edge import Edge, Handlers
from infra.local.sockets.inbox import Inbox
from infra.local.sockets.management import Management, carry_out
from infra.local.sockets.pushing import LocalPusher
from infra.local.sockets.shared import Meeting
from infra.local.sockets.signatures import PREFIX, Signed
from infra.local.sockets.wire import Wire

LOOK_SECONDS = 1.0


class Serving:
    """Serves sockets in the event loop of a worker, from its start to its end.

    handlers: The functions of the three routes.
    """

    def __init__(self, meeting: Meeting, handlers: Handlers, settings: Settings) -> None:
        self.shared = meeting.settings
        self._meeting = meeting
        self._handlers = handlers
        self._settings = settings
        self._edge: Edge | None = None
        self._management: Management | None = None
        self._inbox: asyncio.AbstractServer | None = None
        self._unreachable = False
        self._looking: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Listen to other workers, and push from this process without HTTP."""
        edge = Edge(self._meeting, self._handlers, self._settings, asyncio.get_running_loop())
        if not self.shared.by_wire:
            installed.install(LocalPusher(self._meeting, edge))
        installed.install_user_listener(edge.note_user)
        queues.install_jobs_check(self._meeting.does_jobs)
        self._management = Management(self._meeting, edge)
        self._edge = edge
        await self._listen_to_workers(edge)
        self._looking = edge.loop.create_task(self._look(edge))
        edge.start()

    async def end(self) -> None:
        """Close all connections."""
        if self._looking is not None:
            self._looking.cancel()
        if self._edge is not None:
            self._meeting.path(self._edge.worker).unlink(missing_ok=True)
            await self._edge.stop()

    async def answer(self, request: Request, body: bytes) -> dict[str, Any]:
        """Answer a request of the management API."""
        if self._management is None:
            raise RuntimeError("the WebSockets have not started")
        last = {name: values[-1] for name, values in request.headers.items()}
        connection = unquote(request.path).removeprefix(PREFIX)
        return await self._management.answer(Signed(request.method, connection, last, body))

    async def connect(self, request: Request, head: bytes, descriptor: int) -> dict[str, Any] | Wire:
        """Call `$connect` for an upgrade request; see Edge.connect."""
        if self._edge is None:
            raise RuntimeError("the WebSockets have not started")
        return await self._edge.connect(request, head, descriptor)

    def forget(self, wire: Wire) -> None:
        """Call `$disconnect` for a connection that ended before it was taken over."""
        if self._edge is not None:
            self._edge.forget(wire.connection_id)

    async def _look(self, edge: Edge) -> None:
        """Listen to other workers again whenever the socket was removed."""
        path = self._meeting.path(edge.worker)
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            if self._unreachable or not path.exists():
                await self._listen_to_workers(edge)

    async def _listen_to_workers(self, edge: Edge) -> None:
        try:
            if self._inbox is not None:
                self._inbox.close()
            self._meeting.restore()
            self._inbox = await edge.loop.create_unix_server(  # which ends with its last reference
                lambda: Inbox(functools.partial(carry_out, edge)), self._meeting.path(edge.worker)
            )
        except OSError as error:
            if not self._unreachable:
                LOGGER.error({"event": "worker_unreachable", "worker": edge.worker, "cause": str(error)})
            self._unreachable = True
        else:
            if self._unreachable:
                LOGGER.info({"event": "worker_reachable", "worker": edge.worker})
            self._unreachable = False


def is_management(path: str) -> bool:
    """Return whether a percent-encoded path belongs to the management API."""
    return path.startswith(PREFIX) or ("%" in path and unquote(path).startswith(PREFIX))
