"""The HTTP gateway of a worker: it calls the application as API Gateway would."""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Coroutine, Iterable
from typing import Any, NamedTuple
from urllib.parse import unquote_to_bytes

from chalicelib.config import Settings
from chalicelib.errors import BadRequest, NoSuchRoute, ParleyError
from chalicelib.http.cors import Cors
from chalicelib.services.values.tokens import PREFIX
from chalicelib.store.accounts.rate_limits import site_of
from infra.local.addresses import Addresses, AddressLimit
from infra.local.descriptors import http_connections, open_files
from infra.local.hosts import only_host, refuse_foreign_names
from infra.local.http.calls import Call
from infra.local.http.closing import Closing
from infra.local.http.connection import BODY_SECONDS, Connection, Host
from infra.local.http.head import Head
from infra.local.http.reader import Received
from infra.local.http.refusals import Refusals
from infra.local.http.writing import Answer
from infra.local.pipeline import greenlets
from infra.local.requests import Request
from infra.local.router import Match, Router
from infra.local.shutdown import STOP_SECONDS
from infra.local.slow import SlowCalls
from infra.local.sockets.handshake import is_upgrade
from infra.local.sockets.serving import Serving, is_management
from infra.local.sockets.wire import Wire

POLL_SECONDS = 0.01
UPGRADE_SECONDS = 0.5
"""At the end, for upgrades under way, whose connections are then closed like all others."""


class Exchange(NamedTuple):
    """A request that is being answered; start: When that began, by the performance counter."""

    connection: Connection
    head: Head
    body: bytes
    start: float


class Gateway:
    """Serves HTTP with an application.

    call: Answers a request, in a greenlet on the event loop; calls of slow routes run in threads.
    resources: The application's paths, as Chalice writes them.
    body_seconds: Maximum time for a request's body to arrive.
    slow: Method and path of each slow route.
    slow_calls: Threads for slow routes. Calls with an outside token, which may have to read the issuer's
        keys, run in other threads.
    sockets: Of this worker. If pushes use `/@connections`, every route is slow: on the loop, a call would
        wait for itself.
    """

    def __init__(
        self,
        call: Call,
        resources: Iterable[str],
        settings: Settings,
        body_seconds: float = BODY_SECONDS,
        *,
        slow: Iterable[tuple[str, str]] = (),
        slow_calls: SlowCalls | None = None,
        sockets: Serving | None = None,
    ) -> None:
        self._application = call
        self._router = Router(resources)
        self._open_hosts = settings.open_hosts if settings.auth == "open" else None
        self._slow = frozenset(slow)
        self._slow_calls = slow_calls or SlowCalls()
        self._outside_calls = None if settings.oidc_issuer is None else SlowCalls()
        self._refusals = Refusals(self._router, Cors(settings.cors_origins))
        self._sockets = sockets
        self._all_slow = sockets is not None and sockets.shared.by_wire
        addresses = Addresses(AddressLimit() if sockets is None else sockets.shared.addresses)
        self._connections: set[Connection] = set()
        self._ending: set[Closing] = set()
        self._upgrades: set[asyncio.Task[None]] = set()
        self._host = Host(
            self._serve,
            self._early,
            self._refusals.answer,
            self._connections,
            self._ending,
            addresses,
            lambda: http_connections(open_files()),
            body_seconds=body_seconds,
        )

    async def begin(self) -> None:
        """Get ready for the first connection."""
        if self._sockets is not None:
            await self._sockets.begin()

    def protocol(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        return Connection(self._host)

    async def end(self) -> None:
        """Finish the requests under way, for STOP_SECONDS at most, and close all connections."""
        deadline = time.monotonic() + STOP_SECONDS
        for connection in list(self._connections):
            connection.stop()
        if self._upgrades:
            await asyncio.wait(self._upgrades, timeout=UPGRADE_SECONDS)
        if self._sockets is not None:
            await self._sockets.end()
        while self._is_busy and time.monotonic() < deadline:
            await asyncio.sleep(POLL_SECONDS)
        left: list[Connection | Closing] = [*self._connections, *self._ending]
        for one in left:
            one.transport.abort()

    @property
    def _is_busy(self) -> bool:
        return bool(self._connections) or any(connection.has_unread for connection in self._ending)

    def _serve(self, connection: Connection, received: Received) -> None:
        head, body = received
        exchange = Exchange(connection, head, body, time.perf_counter())
        try:
            self._begin(exchange)
        except Exception as error:
            self._refuse(exchange, error)

    def _begin(self, exchange: Exchange) -> None:
        request = exchange.head.request
        self._check_host(request)
        if is_upgrade(request):
            return self._begin_upgrade(exchange)
        if self._sockets is not None and is_management(request.path):
            return self._spawn(exchange, _managed(self._sockets, request, exchange.body))
        match = self._router.match(request.path)
        if match is None:
            raise NoSuchRoute("No route has this path. GET /openapi.json lists all routes.")
        if "%" in request.path:
            _refuse_broken_text(request.path)
        if request.method == "HEAD":
            request = request._replace(method="GET")
        self._call(exchange, request, match)

    def _call(self, exchange: Exchange, request: Request, match: Match) -> None:
        if self._all_slow or (request.method, match.resource) in self._slow:
            calls = self._slow_calls
        elif self._outside_calls is not None and _shows_outside_token(request):
            calls = self._outside_calls
        else:
            done = functools.partial(self._called, exchange)
            return greenlets.start(self._application, request, match, exchange.body, done=done)
        site = site_of(request.client)
        self._spawn(exchange, calls.run(site, self._application, request, match, exchange.body))

    def _called(self, exchange: Exchange, answer: Any, error: BaseException | None) -> None:
        """Send what a call has returned, or the problem if it failed."""
        try:
            if error is not None:
                raise error
            exchange.connection.answer(exchange.head, answer)
        except Exception as failure:
            self._refuse(exchange, failure)

    def _spawn(self, exchange: Exchange, answering: Coroutine[Any, Any, Answer | None]) -> None:
        """Answer with what a coroutine returns; None: it has taken over the connection."""

        async def answered() -> None:
            try:
                answer = await answering
            except Exception as error:
                self._refuse(exchange, error)
            else:
                if answer is not None:
                    self._called(exchange, answer, None)

        exchange.connection.task = asyncio.get_running_loop().create_task(answered())

    def _begin_upgrade(self, exchange: Exchange) -> None:
        if self._sockets is None:
            raise NoSuchRoute("This server accepts no WebSockets.")
        task = asyncio.get_running_loop().create_task(self._upgrade(exchange, self._sockets))
        self._upgrades.add(task)
        task.add_done_callback(self._upgrades.discard)

    async def _upgrade(self, exchange: Exchange, sockets: Serving) -> None:
        """Make a connection a WebSocket, or refuse to; what follows the request may be frames in any case."""
        connection, head = exchange.connection, exchange.head
        try:
            answer = await sockets.connect(head.request, head.raw, connection.descriptor)
            if not isinstance(answer, Wire):
                connection.answer(head, Answer.of(answer), is_last=True)
            elif connection.is_open:
                connection.hand_over(answer)
            else:
                sockets.forget(answer)
        except Exception as error:
            self._refuse(exchange, error, is_last=True)

    def _check_host(self, request: Request) -> None:
        hosts = request.headers.get("host", ())
        only_host(hosts, request.version)
        if self._open_hosts is not None:
            refuse_foreign_names(hosts, self._open_hosts)

    def _early(self, head: Head) -> ParleyError | None:
        """Return why a request is refused whatever its body is, or None."""
        try:
            self._check_host(head.request)
        except ParleyError as error:
            return error
        return None

    def _refuse(self, exchange: Exchange, error: Exception, *, is_last: bool = False) -> None:
        seconds = time.perf_counter() - exchange.start
        answer = self._refusals.answer(error, exchange.head, seconds)
        exchange.connection.answer(exchange.head, answer, is_last=is_last)


async def _managed(sockets: Serving, request: Request, body: bytes) -> Answer:
    return Answer.of(await sockets.answer(request, body))


def _shows_outside_token(request: Request) -> bool:
    return any(
        not value.partition(" ")[2].lstrip().startswith(PREFIX)
        for value in request.headers.get("authorization", ())
    )


def _refuse_broken_text(path: str) -> None:
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        raise BadRequest("The path's percent-encoding is not UTF-8.") from None
