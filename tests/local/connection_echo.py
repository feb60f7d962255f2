"""WebSockets with handlers that answer with their event, or do what a message says."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from chalicelib.config import Settings
from chalicelib.push_gateway import installed
from chalicelib.push_gateway.pusher import SESSION_ENDED, OutgoingFrame
from infra.local.http.calls import by_event
from infra.local.http.gateway import Gateway
from infra.local.sockets.edge import Handlers
from infra.local.sockets.serving import Serving
from infra.local.sockets.shared import VARIABLE, Meeting

LISTED_ORIGIN = "https://chat.example.com"
LISTED_HOST = "gateway.example"
ENDS = "ends"
"""File in the server's folder, with a line of JSON for each event of `$disconnect`."""


def gateway() -> Gateway:
    """Return the application of a worker."""
    settings = Settings.from_env({"PARLEY_STAGE": "local", "PARLEY_AUTH": "open"} | _origins())
    meeting = Meeting.from_env()
    assert meeting is not None
    serving = Serving(meeting, Handlers(_connect, _message, _disconnect), settings)
    return Gateway(by_event(_answer), ["/worker"], settings, sockets=serving)


def _origins() -> dict[str, str]:
    return {"PARLEY_CORS_ORIGINS": LISTED_ORIGIN, "PARLEY_OPEN_HOSTS": LISTED_HOST}


OPENED: dict[str, Any] = {}
CONNECTED: list[dict[str, Any]] = []


def _connect(event: dict[str, Any], context: Any) -> dict[str, Any]:
    query = event.get("queryStringParameters", {})
    if "refuse" in query:
        headers = {"Content-Type": "application/problem+json", "X-Why": "asked for"}
        return {"statusCode": int(query["refuse"]), "headers": headers, "body": '{"code":"asked_for"}'}
    if "fail" in query:
        raise RuntimeError("a defect")
    connection = event["requestContext"]["connectionId"]
    if "early" in query:
        pusher = installed.pusher(Settings())
        OPENED["early"] = pusher.push([OutgoingFrame([connection], b"too early")])._asdict()
    OPENED[connection] = event
    if "user" in query:
        installed.note_user(connection, query["user"])
    headers = {"Sec-WebSocket-Protocol": query["protocol"]} if "protocol" in query else {}
    return {"statusCode": 200, "headers": headers}


def _message(event: dict[str, Any], context: Any) -> dict[str, Any]:
    own = event["requestContext"]["connectionId"]
    pusher = installed.pusher(Settings())
    body = event["body"]
    if not body.startswith("{"):
        pusher.push([OutgoingFrame([own], body.encode())])
        return {"statusCode": 200}
    order = json.loads(body)
    if order["do"] == "fail":
        raise RuntimeError("a defect")
    if order["do"] == "close":
        pusher.close(order["to"], SESSION_ENDED)
        return {"statusCode": 200}
    if order["do"] == "push":
        droppable = order.get("droppable", False)
        frames = [
            OutgoingFrame(order["to"], order["text"].encode() * times, droppable)
            for times in order.get("times", [1])
        ]
        if order.get("thread"):
            with ThreadPoolExecutor(1) as threads:
                outcome = threads.submit(pusher.push, frames).result()
        else:
            outcome = pusher.push(frames)
        if not order.get("silent"):
            pusher.push([OutgoingFrame([own], json.dumps(outcome._asdict()).encode())])
        return {"statusCode": 200}
    answer = {"opened": OPENED.get(own), "early": OPENED.get("early"), "event": event, "pid": os.getpid()}
    pusher.push([OutgoingFrame([own], json.dumps(answer).encode())])
    return {"statusCode": 200}


def _disconnect(event: dict[str, Any], context: Any) -> dict[str, Any]:
    with (Path(os.environ[VARIABLE]) / ENDS).open("a") as file:
        file.write(json.dumps({**event, "pid": os.getpid()}) + "\n")
    return {"statusCode": 200}


def _answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {"statusCode": 200, "headers": {}, "body": str(os.getpid())}
