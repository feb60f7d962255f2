"""Sockets of the app in this process: events as API Gateway makes them, a pusher that keeps the frames."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import count
from typing import Any

import msgspec

import app
from chalicelib.push_gateway.pusher import CloseReason, Outcome, OutgoingFrame
from tests.store.app_requests import Answer, call

PASSWORD = "correct horse"
IDS = (f"local1-{number}" for number in count(1))


class Recorder:
    """A pusher that keeps what it is given; vanished: connections of which it says that they have gone."""

    inline = 10_000

    def __init__(self) -> None:
        self.vanished: set[str] = set()
        self.closed: list[str] = []
        self.endings: list[CloseReason] = []
        self.frames: dict[str, list[bytes]] = defaultdict(list)

    def push(self, frames: Sequence[OutgoingFrame]) -> Outcome:
        """Keep frames for connections that have not vanished."""
        gone = []
        for frame in frames:
            for connection in frame.connections:
                if connection in self.vanished:
                    gone.append(connection)
                else:
                    self.frames[connection].append(frame.data)
        return Outcome(gone, [])

    def close(self, connections: Sequence[str], ending: CloseReason) -> None:
        """Record a close."""
        self.closed += connections
        self.endings += [ending] * len(connections)


class Socket:
    """A connection of a client."""

    def __init__(self, recorder: Recorder, connection: str) -> None:
        self.connection = connection
        self._recorder = recorder

    def send(self, frame: dict[str, Any] | str) -> list[dict[str, Any]]:
        """Send a frame, and return the frames pushed to the connection since the last look."""
        body = frame if isinstance(frame, str) else msgspec.json.encode(frame).decode()
        assert app.socket_message(event("MESSAGE", self.connection, body=body), None) == {"statusCode": 200}
        return self.received()

    def received(self) -> list[dict[str, Any]]:
        """Return the frames pushed to the connection since the last look."""
        return [msgspec.json.decode(frame) for frame in self._recorder.frames.pop(self.connection, [])]

    def hello(self, **fields: Any) -> list[dict[str, Any]]:
        """Say hello."""
        return self.send({"type": "hello", **fields})

    def leave(self) -> None:
        """Close the connection."""
        gone = event("DISCONNECT", self.connection)
        assert app.socket_disconnect(gone, None) == {"statusCode": 200}


class Door:
    """Opens connections; ann and bob have accounts, and this has the tokens of their first sessions."""

    def __init__(self, recorder: Recorder, tokens: dict[str, str]) -> None:
        self.recorder = recorder
        self.tokens = tokens

    def rest(self, user: str, method: str, path: str, body: Any = None) -> Answer:
        """Make a request with a user's token."""
        return call(method, path, body=body, Authorization=f"Bearer {self.tokens[user]}")

    def log_in(self, user: str) -> str:
        """Begin another session of a user; return its token."""
        answer = call("POST", "/v1/login", body={"handle": user, "password": PASSWORD})
        assert answer.status == 200, answer
        return str(answer.body["token"])

    def ticket(self, user: str, **body: Any) -> str:
        """Get a ticket."""
        answer = self.rest(user, "POST", "/v1/realtime/ticket", body)
        assert answer.status == 201, answer
        return str(answer.body["ticket"])

    def knock(self, **knock: Any) -> dict[str, Any]:
        """Try to connect; returns the answer to $connect. knock: see `event`."""
        answer: dict[str, Any] = app.socket_connect(event("CONNECT", next(IDS), **knock), None)
        return answer

    def enter(self, user: str, *, ready: bool = True, room: str | None = None) -> Socket:
        """Connect by a ticket, and say hello unless `ready` is False."""
        connection, ticket = next(IDS), self.ticket(user, **({"room": room} if room else {}))
        answer = app.socket_connect(event("CONNECT", connection, query={"ticket": ticket}), None)
        assert answer == {"statusCode": 200}
        socket = Socket(self.recorder, connection)
        if ready:
            assert socket.hello()[-1]["type"] in {"ready", "room"}
        return socket


def event(
    kind: str,
    connection: str,
    *,
    body: str | None = None,
    query: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    address: str = "127.0.0.1",
) -> dict[str, Any]:
    """Return an event of API Gateway; kind: CONNECT, MESSAGE or DISCONNECT."""
    route = {"CONNECT": "$connect", "MESSAGE": "$default", "DISCONNECT": "$disconnect"}[kind]
    made: dict[str, Any] = {
        "requestContext": {
            "routeKey": route,
            "eventType": kind,
            "connectionId": connection,
            "requestId": f"request-{connection}",
            "domainName": "127.0.0.1",
            "stage": "local",
            "apiId": "local",
            "identity": {"sourceIp": address, "userAgent": "tests"},
        },
        "isBase64Encoded": False,
    }
    if body is not None:
        made["body"] = body
    if kind == "CONNECT":
        made |= {"headers": headers or {}, "queryStringParameters": query}
    return made
