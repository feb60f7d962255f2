"""The management API of the connections: `/@connections/ID`, as AWS's SDKs call it."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import msgspec

from chalicelib.errors import NoSuchRoute
from chalicelib.push_gateway.pusher import CloseReason
from infra.local.sockets.edge import Edge
from infra.local.sockets.links import Links
from infra.local.sockets.orders import Kind, Order
from infra.local.sockets.shared import KEYS, Meeting, worker_of
from infra.local.sockets.signatures import Signed, Verifier

KINDS = {"POST": Kind.POST, "GET": Kind.GET, "DELETE": Kind.DELETE}
EMPTY_ANSWERS = {"POST": 200, "DELETE": 204}
ERRORS = {
    403: "ForbiddenException",
    405: "MethodNotAllowedException",
    410: "GoneException",
    413: "PayloadTooLargeException",
    503: "ServiceUnavailableException",
}


def carry_out(edge: Edge, order: Order) -> dict[str, Any] | None:
    """Do what an order says with connections of this worker.

    Returns the answer of the management API; None: the connection is gone, or the order has no answer.
    """
    if order.kind == Kind.PUSH:
        gone = edge.deliver(order.connections, order.data, droppable=order.droppable)
    elif order.kind == Kind.CLOSE:
        gone = edge.close(order.connections, msgspec.msgpack.decode(order.data, type=CloseReason))
    else:
        return _answer(edge, order)
    for one in gone:
        edge.forget(one)
    return None


def _answer(edge: Edge, order: Order) -> dict[str, Any] | None:
    (one,) = order.connections
    connection = edge.connections.get(one)
    if connection is None:
        return None
    if order.kind == Kind.POST:
        edge.deliver([one], order.data)
    elif order.kind == Kind.DELETE:
        edge.close([one])
    return {
        "connectedAt": _iso(connection.events.connected_at),
        "lastActiveAt": _iso(connection.events.connected_at + 1000 * (connection.active - connection.since)),
        "identity": {"userAgent": "", **connection.events.identity},
    }


class Management:
    """Answers requests for connections of any worker.

    edge: this worker's. The keys that may sign are the server's KEYS; without them there is no such API.
    """

    def __init__(self, meeting: Meeting, edge: Edge) -> None:
        self._edge = edge
        self._links = Links(meeting)
        key, secret = (os.environ.get(name) for name in KEYS)
        self._verifier = Verifier(key, secret) if key and secret else None

    async def answer(self, request: Signed) -> dict[str, Any]:
        """Answer a request; a dict in the shape of a Lambda proxy response. Raises NoSuchRoute."""
        if self._verifier is None:
            raise NoSuchRoute("This server has no AWS keys, so it has no management API.")
        if (wrong := self._wrong_with(request, self._verifier)) is not None:
            return _error(wrong)
        try:
            found = await self._found(request)
        except TimeoutError:
            return _error(503)
        if found is None:
            return _error(410)
        if request.method in EMPTY_ANSWERS:
            return {"statusCode": EMPTY_ANSWERS[request.method], "headers": {}, "body": ""}
        body = msgspec.json.encode(found).decode()
        return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": body}

    def _wrong_with(self, request: Signed, verifier: Verifier) -> int | None:
        if request.method not in KINDS:
            return 405
        if not verifier.allows(request):
            return 403
        return 413 if len(request.body) > self._edge.limits.message_bytes else None

    async def _found(self, request: Signed) -> Any:
        order = Order(KINDS[request.method], [request.connection], request.body)
        worker = worker_of(request.connection)
        if worker == self._edge.worker:
            return carry_out(self._edge, order)
        return await self._links.ask(worker, order)


def _error(status: int) -> dict[str, Any]:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": ERRORS[status]}
    return {"statusCode": status, "headers": headers, "body": '{"message":null}'}


def _iso(milliseconds: float) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
