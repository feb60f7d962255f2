"""A request as every edge gives it: by a Lambda event, or straight from the local server."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import msgspec


class Request(msgspec.Struct):
    """One HTTP request.

    resource: Path of the route, such as `/v1/chats/{chat}/messages`.
    path: As the client wrote it, with the stage.
    parameters: Of the path, by name, percent-encoded.
    headers: The last value of each, by its name in lower case.
    query: The last value of each parameter.
    address: Of the client, as the gateway saw it; no header can change it.
    id: The gateway's id of the request; empty: it gave none.
    api_id: Id of the API that received the request; empty: the gateway gave none.
    """

    method: str
    resource: str
    path: str
    parameters: dict[str, str]
    headers: dict[str, str]
    query: dict[str, str]
    body: bytes
    address: str
    id: str = ""
    api_id: str = ""

    @classmethod
    def from_event(cls, event: Mapping[str, Any]) -> Request:
        """Return the request of an event of API Gateway's REST proxy integration (payload version 1.0)."""
        context = event["requestContext"]
        query = event.get("multiValueQueryStringParameters") or {}
        return cls(
            method=context["httpMethod"],
            resource=context["resourcePath"],
            path=context.get("path") or "/",
            parameters=event.get("pathParameters") or {},
            headers={name.lower(): value for name, value in (event.get("headers") or {}).items()},
            query={name: values[-1] for name, values in query.items() if values},
            body=_body(event),
            address=str((context.get("identity") or {}).get("sourceIp") or ""),
            id=str(context.get("requestId") or ""),
            api_id=str(context.get("apiId") or ""),
        )


def _body(event: Mapping[str, Any]) -> bytes:
    body: str | bytes = event.get("body") or ""
    if isinstance(body, bytes):  # from `chalice local`
        return body
    if event.get("isBase64Encoded"):
        return base64.b64decode(body)
    return body.encode(errors="surrogatepass")  # half of a pair makes it no UTF-8, a client's error
