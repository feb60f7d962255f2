"""The HTTP edge: an ASGI application that calls the Lambda handlers as API Gateway would."""

from __future__ import annotations

import base64
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import Any

from chalicelib.config import Settings
from chalicelib.errors import PROBLEM_JSON, Forbidden, NoSuchRoute, ParleyError
from chalicelib.http.middleware import COMMON_HEADERS, GIVEN_REQUEST_ID
from chalicelib.http.responses import REQUEST_ID, defect
from chalicelib.logs import LOGGER
from infra.local.body import BODY_SECONDS, BodyReader, Receive
from infra.local.events import LambdaContext, Scope, header_lists, proxy_event, raw_path
from infra.local.hosts import is_loopback
from infra.local.router import Router

Handler = Callable[[dict[str, Any], Any], dict[str, Any]]
Headers = dict[str, list[str]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

FRAMING = frozenset({"connection", "content-length", "transfer-encoding"})  # set by the server
LOGGED_PATH_LENGTH = 200


class Gateway:
    """Serves HTTP with a Lambda handler.

    handler: takes an API Gateway event and a context. It runs on the event loop, one call at a time, since
    Chalice keeps the current request in one attribute of the app.
    resources: the paths it has, as Chalice writes them.
    body_seconds: how long a request's body may take to arrive.
    """

    def __init__(
        self,
        handler: Handler,
        resources: Iterable[str],
        settings: Settings,
        body_seconds: float = BODY_SECONDS,
    ) -> None:
        self._handler = handler
        self._router = Router(resources)
        self._loopback_names_only = settings.auth == "open" and not settings.open_beyond_loopback
        self._body_seconds = body_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request of an ASGI server; WebSockets are refused."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close"})
            return
        start = time.perf_counter()
        path, headers = raw_path(scope), header_lists(scope)
        reader = BodyReader(receive, headers, self._body_seconds)
        try:
            await _send(send, await self._answer(scope, path, headers, reader))
        except Exception as error:
            refusal = _refusal(error, headers)
            await reader.discard()
            await _send(send, refusal, close=not reader.finished)
            _log(error, refusal, scope["method"], path, time.perf_counter() - start)

    async def _answer(self, scope: Scope, path: str, headers: Headers, reader: BodyReader) -> dict[str, Any]:
        if self._loopback_names_only:
            _refuse_foreign_names(headers)
        match = self._router.match(path)
        if match is None:
            raise NoSuchRoute("No route has this path. GET /openapi.json lists those there are.")
        event = proxy_event(scope, path, headers, match, await reader.read())
        return self._handler(event, LambdaContext(event["requestContext"]["requestId"]))


def _refuse_foreign_names(headers: Headers) -> None:
    for host in headers.get("host", ()):
        if not is_loopback(host):
            raise Forbidden(
                "An open server answers only to localhost, 127.0.0.1 and [::1], so that no web page can reach"
                " it under a name of its own. PARLEY_OPEN_BEYOND_LOOPBACK=1 lifts this."
            )


def _refusal(error: Exception, headers: Headers) -> dict[str, Any]:
    problem = error if isinstance(error, ParleyError) else defect()
    given = headers.get(REQUEST_ID.lower(), [""])[-1]
    return {
        "statusCode": problem.status,
        "headers": {
            **COMMON_HEADERS,
            "Content-Type": PROBLEM_JSON,
            **problem.headers,
            REQUEST_ID: given if GIVEN_REQUEST_ID.fullmatch(given) else str(uuid.uuid4()),
        },
        "body": problem.problem().decode(),
    }


async def _send(send: Send, response: dict[str, Any], *, close: bool = False) -> None:
    status: int = response["statusCode"]
    headers = list(_header_pairs(response))
    if close:
        headers.append((b"connection", b"close"))
    body = b"" if status in (204, 304) else _body(response)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _header_pairs(response: dict[str, Any]) -> Iterator[tuple[bytes, bytes]]:
    single: dict[str, Any] = response.get("headers") or {}
    multiple: dict[str, list[Any]] = response.get("multiValueHeaders") or {}
    for name, values in [*((name, [value]) for name, value in single.items()), *multiple.items()]:
        if name.lower() not in FRAMING:
            for value in values:
                yield name.lower().encode(), str(value).encode("latin-1")


def _body(response: dict[str, Any]) -> bytes:
    body: str = response.get("body") or ""
    return base64.b64decode(body) if response.get("isBase64Encoded") else body.encode()


def _log(error: Exception, refusal: dict[str, Any], method: str, path: str, seconds: float) -> None:
    known = isinstance(error, ParleyError)
    LOGGER.log(
        logging.INFO if known else logging.ERROR,
        {
            "event": "request",
            "request_id": refusal["headers"][REQUEST_ID],
            "method": method,
            "path": path[:LOGGED_PATH_LENGTH],
            "status": refusal["statusCode"],
            "code": error.code if isinstance(error, ParleyError) else defect().code,
            "ms": round(seconds * 1000, 2),
        },
        exc_info=None if known else error,
    )
