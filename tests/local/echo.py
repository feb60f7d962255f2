"""A gateway with a handler that answers with its event, or in other ways that a handler may."""

from __future__ import annotations

import base64
import json
import threading
from typing import Any

from chalicelib.config import Settings
from infra.local.http.calls import by_event
from infra.local.http.gateway import Gateway
from infra.local.slow import SlowCalls

BODY_SECONDS, SHORT_SECONDS = 60.0, 0.5
"""That a body may take, of the usual server and of one that is impatient."""
SLOW_THREADS = 2
MAX_SLOW_CALLS = 4
HOLD_SECONDS = 60.0
BRIEF_SECONDS = 0.5
LARGE = 8 * 1024 * 1024
LISTED_ORIGIN = "https://chat.example.com"
LISTED_HOST = "gateway.example"
RESOURCES = (
    "/my/path",
    "/things/{thing}",
    "/things/{thing}/parts/{part}",
    "/answers/{kind}",
    "/slow/{kind}",
    "/slow/{kind}/begun",
    "/slow/{kind}/end",
)
SLOW = [("GET", "/slow/{kind}")]
ANSWERS: dict[str, dict[str, Any]] = {
    "binary": {
        "headers": {"Content-Type": "application/octet-stream"},
        "body": base64.b64encode(bytes(range(256))).decode(),
        "isBase64Encoded": True,
    },
    "cookies": {"headers": {}, "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]}, "body": "set"},
    "empty": {"statusCode": 204, "headers": {"X-Request-Id": "given"}, "body": ""},
    "unchanged": {"statusCode": 304, "headers": {}, "body": ""},
    "large": {"headers": {}, "body": "x" * LARGE},
    "accent": {"headers": {"X-Name": "zo\u00eb \u4f60"}, "body": ""},
    "split": {"headers": {"X-Name": "a\r\nX-Other: b"}, "body": ""},
}


def impatient() -> Gateway:
    """Return the application of a worker with a short time limit for bodies."""
    return gateway(SHORT_SECONDS)


def gateway(body_seconds: float = BODY_SECONDS) -> Gateway:
    """Return the application of a worker; body_seconds: time limit of a body."""
    settings = Settings(stage="local", auth="open", cors_origins=(LISTED_ORIGIN,), open_hosts=(LISTED_HOST,))
    slow_calls = SlowCalls(SLOW_THREADS, MAX_SLOW_CALLS)
    return Gateway(by_event(_answer), RESOURCES, settings, body_seconds, slow=SLOW, slow_calls=slow_calls)


class _Held:
    """A slow call, which another call ends."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.end = threading.Event()


HELD: dict[str, _Held] = {}


def _answer_slow(resource: str, kind: str) -> dict[str, Any]:
    held = HELD.setdefault(kind, _Held())
    if resource.endswith("/begun"):
        return {"statusCode": 200, "headers": {}, "body": str(held.begun.is_set())}
    if resource.endswith("/end"):
        held.end.set()
        return {"statusCode": 200, "headers": {}, "body": ""}
    held.begun.set()
    if kind == "failure":
        raise RuntimeError("a defect")
    ended = held.end.wait(BRIEF_SECONDS if kind == "brief" else HOLD_SECONDS)
    return {"statusCode": 200, "headers": {}, "body": "ended" if ended else "held up"}


def _answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    kind = (event["pathParameters"] or {}).get("kind")
    if kind is not None and event["resource"].startswith("/slow/"):
        return _answer_slow(event["resource"], kind)
    if kind == "failure":
        raise RuntimeError("a defect")
    if kind is not None:
        return {"statusCode": 200, **ANSWERS[kind]}
    body = {
        "event": event,
        "context": {
            "aws_request_id": context.aws_request_id,
            "remaining": context.get_remaining_time_in_millis(),
            "function_name": context.function_name,
        },
    }
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}
