"""The three events of a WebSocket connection: each is handled, answered and logged."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib import services
from chalicelib.errors import PROBLEM_JSON, InternalError, ParleyError
from chalicelib.http.request_ids import new_id
from chalicelib.logs import LOGGER, cause_of, log
from chalicelib.services.realtime.connect import ConnectRequest
from chalicelib.services.realtime.dispatch import FrameResult
from chalicelib.store.accounts.sessions import details_of

Event = Mapping[str, Any]
DONE = FrameResult(None)


def connect(event: Event) -> dict[str, Any]:
    """Open a connection, or respond with the reason of a refusal; the ticket is never logged."""
    answer: dict[str, Any] = {"statusCode": 200}

    def let_in() -> FrameResult:
        protocol = services.current().realtime.connecting.connect(_knock(event))
        if protocol is not None:
            answer["headers"] = {"Sec-WebSocket-Protocol": protocol}
        return DONE

    error = _logged("socket_connect", event, let_in).error
    return answer if error is None else _refusal(error)


def prove(token: str, address: str) -> None:
    """Check a bearer token before a call of `connect` that must not wait for the issuer.

    address: Of the client. Raises NotAuthenticated, IdentityUnavailable, TooManyRequests.
    """
    services.current().realtime.connecting.check_token(token, address)


def message(event: Event) -> dict[str, Any]:
    """Handle a frame; the replies are pushed."""
    connection, body = _connection(event), event.get("body") or ""

    def handle() -> FrameResult:
        return services.current().realtime.frames.handle(connection, body, _request_id(event))

    _logged("socket_frame", event, handle)
    return {"statusCode": 200}


def disconnect(event: Event) -> dict[str, Any]:
    """Clean up after a closed connection."""

    def clear_up() -> FrameResult:
        services.current().realtime.disconnect(_connection(event))
        return DONE

    _logged("socket_disconnect", event, clear_up)
    return {"statusCode": 200}


def _logged(name: str, event: Event, call: Callable[[], FrameResult]) -> FrameResult:
    """Call a function for an event, and log one line; return an error that it raises as its result."""
    start, request = time.perf_counter(), _request_id(event)
    try:
        handled = call()
    except ParleyError as refusal:
        handled = FrameResult(None, refusal)
    except Exception:
        LOGGER.exception({"event": "defect", "request_id": request})
        handled = FrameResult(
            None,
            InternalError(
                f"The server failed. Report the request id {request}, which finds the failure in the log."
            ),
        )
    line: dict[str, Any] = {"event": name, "request_id": request, "connection": _connection(event)}
    if handled.kind is not None:
        line["type"] = handled.kind
    line |= {"status": 200, "ms": round((time.perf_counter() - start) * 1000, 2)}
    error = handled.error
    if error is not None:
        line |= {"status": error.status, "code": error.code, **cause_of(error)}
    log(logging.ERROR if line["status"] >= 500 else logging.INFO, line)
    return handled


def _knock(event: Event) -> ConnectRequest:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    query = event.get("queryStringParameters") or {}
    identity = event["requestContext"].get("identity") or {}
    agent = headers.get("user-agent") or identity.get("userAgent") or ""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return ConnectRequest(
        connection=_connection(event),
        details=details_of(str(identity.get("sourceIp") or ""), agent),
        ticket=query.get("ticket"),
        bearer=token.strip() if scheme.lower() == "bearer" else None,
        user=query.get("user"),
        room=query.get("room"),
        protocols=[name.strip() for name in headers.get("sec-websocket-protocol", "").split(",")],
    )


def _refusal(error: ParleyError) -> dict[str, Any]:
    headers = {"Content-Type": PROBLEM_JSON, **error.headers}
    return {"statusCode": error.status, "headers": headers, "body": error.problem().decode()}


def _connection(event: Event) -> str:
    return str(event["requestContext"]["connectionId"])


def _request_id(event: Event) -> str:
    context: dict[str, Any] = event["requestContext"]
    return str(context.get("requestId") or context.setdefault("requestId", new_id()))
