"""WebSockets with handlers that answer with their event, or do what a message says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from chalicelib.config import Settings
from chalicelib.push_gateway import installed
from chalicelib.push_gateway.pusher import SESSION_ENDED, OutgoingFrame
from infra.local.http.calls import by_event
from infra.local.http.gateway import Gateway
from infra.local.pipeline import greenlets
from infra.local.sockets.edge import Handlers
from infra.local.sockets.serving import Serving
from infra.local.sockets.shared import VARIABLE, Meeting

LISTED_ORIGIN = "https://chat.example.com"
LISTED_HOST = "gateway.example"
ENDS = "ends"
"""File in the server's folder, with a line of JSON for each event of `$disconnect`."""
PAUSED, PAUSE_SECONDS = "paused", 0.3
"""File in the server's folder, made when a `$connect` begins to pause."""


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
LET_GO: set[str] = set()
"""What frames that wait need not wait for any more."""
POLL_SECONDS = 0.002


def _connect(event: dict[str, Any], context: Any) -> dict[str, Any]:
    query = event.get("queryStringParameters", {})
    if "refuse" in query:
        headers = {"Content-Type": "application/problem+json", "X-Why": "asked for"}
        return {"statusCode": int(query["refuse"]), "headers": headers, "body": '{"code":"asked_for"}'}
    if "fail" in query:
        raise RuntimeError("a defect")
    connection = event["requestContext"]["connectionId"]
    if "pause" in query:
        (Path(os.environ[VARIABLE]) / PAUSED).touch()
        greenlets.sleep(PAUSE_SECONDS)
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
    body = event["body"]
    order = json.loads(body) if body.startswith("{") else {"do": "echo"}
    answer = DOING[order["do"]](order, event)
    if answer is not None:
        installed.pusher(Settings()).push([OutgoingFrame([own], answer.encode())])
    return {"statusCode": 200}


def _fail(order: dict[str, Any], event: dict[str, Any]) -> None:
    raise RuntimeError("a defect")


def _close(order: dict[str, Any], event: dict[str, Any]) -> None:
    installed.pusher(Settings()).close(order["to"], SESSION_ENDED)


def _push(order: dict[str, Any], event: dict[str, Any]) -> str | None:
    push = installed.pusher(Settings()).push
    droppable = order.get("droppable", False)
    frames = [
        OutgoingFrame(order["to"], order["text"].encode() * times, droppable)
        for times in order.get("times", [1])
    ]
    if order.get("thread"):
        with ThreadPoolExecutor(1) as threads:
            outcome = threads.submit(push, frames).result()
    else:
        outcome = push(frames)
    return None if order.get("silent") else json.dumps(outcome._asdict())


def _wait(order: dict[str, Any], event: dict[str, Any]) -> str:
    while order["for"] not in LET_GO:
        greenlets.sleep(POLL_SECONDS)
    return str(order["for"])


def _let_go(order: dict[str, Any], event: dict[str, Any]) -> None:
    LET_GO.add(order["what"])


def _tell(order: dict[str, Any], event: dict[str, Any]) -> str:
    opened = OPENED.get(event["requestContext"]["connectionId"])
    return json.dumps({"opened": opened, "early": OPENED.get("early"), "event": event, "pid": os.getpid()})


DOING: dict[str, Callable[[dict[str, Any], dict[str, Any]], str | None]] = {
    "echo": lambda _, event: str(event["body"]),
    "fail": _fail,
    "close": _close,
    "push": _push,
    "wait": _wait,
    "let go": _let_go,
    "tell": _tell,
}
"""What a message can say; each returns the frame that answers it, or None."""


def _disconnect(event: dict[str, Any], context: Any) -> dict[str, Any]:
    with (Path(os.environ[VARIABLE]) / ENDS).open("a") as file:
        file.write(json.dumps({**event, "pid": os.getpid()}) + "\n")
    return {"statusCode": 200}


def _answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    return {"statusCode": 200, "headers": {}, "body": str(os.getpid())}
