"""What a WebSocket API of API Gateway hands to its functions.

The shapes are those of "Set up WebSocket API Lambda proxy integrations" and "$context variables" in the API
Gateway Developer Guide.
"""

from __future__ import annotations

import secrets
import time
from typing import Any, NamedTuple

from infra.local.events import API_ID, STAGE, request_time

RANDOM_BYTES = 11


class Opening(NamedTuple):
    """The request that opens a connection.

    headers, query: every value by name, the headers' as they were written. source_ip: of the TCP connection.
    """

    connection: str
    headers: dict[str, list[str]]
    query: dict[str, list[str]]
    source_ip: str

    def header(self, name: str) -> str | None:
        """Return the last value of a header."""
        name = name.lower()
        values = [values[-1] for key, values in self.headers.items() if key.lower() == name]
        return values[-1] if values else None


class SocketEvents:
    """Makes the events of one connection.

    connected_at: when it was opened; ms since 1970.
    """

    def __init__(self, opening: Opening) -> None:
        agent = opening.header("user-agent")
        self.identity = {"sourceIp": opening.source_ip} | ({} if agent is None else {"userAgent": agent})
        self.connected_at = int(time.time() * 1000)
        self._common: dict[str, Any] = {
            "messageDirection": "IN",
            "stage": STAGE,
            "connectedAt": self.connected_at,
            "identity": self.identity,
            "domainName": opening.header("host") or "",
            "connectionId": opening.connection,
            "apiId": API_ID,
        }

    def connect(self, opening: Opening) -> dict[str, Any]:
        """Return the event of `$connect`."""
        return {
            **_headers(opening.headers),
            **_query(opening.query),
            "requestContext": self._context("$connect", "CONNECT"),
            "isBase64Encoded": False,
        }

    def message(self, body: str) -> dict[str, Any]:
        """Return the event of a message."""
        context = self._context("$default", "MESSAGE")
        context["messageId"] = _new_id()
        return {"requestContext": context, "body": body, "isBase64Encoded": False}

    def disconnect(self, code: int, reason: str) -> dict[str, Any]:
        """Return the event of the end; code, reason: as a close frame has them."""
        context = self._context("$disconnect", "DISCONNECT")
        context |= {"disconnectStatusCode": code, "disconnectReason": reason}
        headers = {"Host": [self._common["domainName"]], "x-api-key": [""], "X-Forwarded-For": [""]}
        return {**_headers(headers), "requestContext": context, "isBase64Encoded": False}

    def _context(self, route: str, kind: str) -> dict[str, Any]:
        request_id, now = _new_id(), time.time()
        return {
            **self._common,
            "routeKey": route,
            "eventType": kind,
            "requestId": request_id,
            "extendedRequestId": request_id,
            "requestTime": request_time(int(now)),
            "requestTimeEpoch": int(now * 1000),
        }


def _headers(lists: dict[str, list[str]]) -> dict[str, Any]:
    return {"headers": {name: values[-1] for name, values in lists.items()}, "multiValueHeaders": lists}


def _query(lists: dict[str, list[str]]) -> dict[str, Any]:
    if not lists:
        return {}
    last = {name: values[-1] for name, values in lists.items()}
    return {"queryStringParameters": last, "multiValueQueryStringParameters": lists}


def _new_id() -> str:
    return f"{secrets.token_urlsafe(RANDOM_BYTES)}="
