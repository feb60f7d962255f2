"""The HTTP edge: an ASGI application that calls the application as API Gateway would."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from chalicelib.config import Settings
from chalicelib.errors import PROBLEM_JSON, BadRequest, NoSuchRoute, ParleyError
from chalicelib.http.common_headers import common_headers
from chalicelib.http.cors import Cors
from chalicelib.http.request_ids import given_id, new_id
from chalicelib.http.responses import REQUEST_ID, defect
from chalicelib.logs import LOGGER
from chalicelib.services.values.tokens import PREFIX
from chalicelib.store.accounts.rate_limits import site_of
from infra.local.body import BODY_SECONDS, Body, Receive
from infra.local.hosts import only_host, refuse_foreign_names
from infra.local.http.calls import Call
from infra.local.http.writing import Answer
from infra.local.pipeline import greenlets
from infra.local.requests import Request, request_of
from infra.local.router import Match, Router
from infra.local.slow import SlowCalls
from infra.local.sockets.serving import Serving, is_management, is_upgrade

Headers = dict[str, list[str]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)
LOGGED_PATH_LENGTH = 200


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
        self._call = call
        self._router = Router(resources)
        self._open_hosts = settings.open_hosts if settings.auth == "open" else None
        self._body_seconds = body_seconds
        self._slow = frozenset(slow)
        self._slow_calls = slow_calls or SlowCalls()
        self._outside_calls = None if settings.oidc_issuer is None else SlowCalls()
        self._cors = Cors(settings.cors_origins)
        self._sockets = sockets
        self._all_slow = sockets is not None and sockets.shared.by_wire

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan of the worker (ASGI 3.0)."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] != "http":
            await send({"type": "websocket.close"})
        else:
            await self._serve(request_of(scope), receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        """Start the sockets before the first request, and end them after the last."""
        await receive()
        if self._sockets is not None:
            await self._sockets.begin()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        if self._sockets is not None:
            await self._sockets.end()
        await send({"type": "lifespan.shutdown.complete"})

    async def _serve(self, request: Request, receive: Receive, send: Send) -> None:
        start = time.perf_counter()
        body = Body(receive, request.headers, self._body_seconds)
        match = self._router.match(request.path)
        try:
            await _respond(send, await self._answer(request, match, body))
        except Exception as error:
            response = _refusal(error, request.headers, self._cors)
            _log(error, response, request, match, time.perf_counter() - start)
            if not await body.discarded():
                response.headers.append(("Connection", "close"))
            await _respond(send, response)

    async def _answer(self, request: Request, match: Match | None, body: Body) -> Answer:
        only_host(request.headers.get("host", ()), request.version)
        if self._open_hosts is not None:
            refuse_foreign_names(request.headers.get("host", ()), self._open_hosts)
        if self._sockets is not None and is_upgrade(request):
            return Answer.of(self._sockets.redirect(request))
        if self._sockets is not None and is_management(request.path):
            return Answer.of(await self._sockets.answer(request, await body.read()))
        if match is None:
            raise NoSuchRoute("No route has this path. GET /openapi.json lists all routes.")
        _refuse_broken_text(request.path)
        return await self._called(_as_get(request), match, await body.read())

    async def _called(self, request: Request, match: Match, body: bytes) -> Answer:
        if self._all_slow or (request.method, match.resource) in self._slow:
            return await self._slow_calls.run(site_of(request.client), self._call, request, match, body)
        if self._outside_calls and _shows_outside_token(request.headers):
            return await self._outside_calls.run(site_of(request.client), self._call, request, match, body)
        return await greenlets.run(self._call, request, match, body)


def _shows_outside_token(headers: Headers) -> bool:
    return any(
        not value.partition(" ")[2].lstrip().startswith(PREFIX) for value in headers.get("authorization", ())
    )


def _as_get(request: Request) -> Request:
    """Return a request, HEAD as GET: the HTTP server leaves out the body."""
    return request._replace(method="GET") if request.method == "HEAD" else request


def _refuse_broken_text(path: str) -> None:
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        raise BadRequest("The path's percent-encoding is not UTF-8.") from None


def _refusal(error: Exception, headers: Headers, cors: Cors) -> Answer:
    problem = error if isinstance(error, ParleyError) else defect()
    last = {name: values[-1] for name, values in headers.items()}
    own = {
        **common_headers(last, cors),
        "Content-Type": PROBLEM_JSON,
        **problem.headers,
        REQUEST_ID: given_id(last) or new_id(),
    }
    return Answer(problem.status, list(own.items()), problem.problem())


async def _respond(send: Send, answer: Answer) -> None:
    for name, value in answer.headers:
        if not (value.isascii() and value.isprintable()):  # Granian would crash
            raise ValueError(f"the handler's header {name} has a value that HTTP cannot carry")
    encoded = [(name.encode(), value.encode()) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": encoded})
    body = b"" if answer.status in BODILESS else answer.body
    await send({"type": "http.response.body", "body": body})


def _log(error: Exception, refusal: Answer, request: Request, match: Match | None, seconds: float) -> None:
    known = isinstance(error, ParleyError)
    where = {"route": match.resource} if match else {"path": unquote(request.path)[:LOGGED_PATH_LENGTH]}
    LOGGER.log(
        logging.INFO if known else logging.ERROR,
        {
            "event": "request",
            "request_id": dict(refusal.headers)[REQUEST_ID],
            "method": request.method,
            **where,
            "status": refusal.status,
            "code": error.code if isinstance(error, ParleyError) else defect().code,
            "ms": round(seconds * 1000, 2),
        },
        exc_info=None if known else error,
    )
