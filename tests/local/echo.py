"""A gateway over a handler that tells what it was given, or answers in ways a handler may."""

from __future__ import annotations

import base64
import json
from typing import Any

from chalicelib.config import Settings
from infra.local.gateway import Gateway

BODY_SECONDS = 1.0
LARGE = 8 * 1024 * 1024
RESOURCES = (
    "/my/path",
    "/things/{thing}",
    "/things/{thing}/parts/{part}",
    "/answers/{kind}",
)
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


def gateway() -> Gateway:
    """Return the application of a worker."""
    return Gateway(_answer, RESOURCES, Settings(stage="local", auth="open"), BODY_SECONDS)


def _answer(event: dict[str, Any], context: Any) -> dict[str, Any]:
    kind = (event["pathParameters"] or {}).get("kind")
    if kind == "failure":
        raise RuntimeError("a defect")
    if kind is not None:
        return {"statusCode": 200, **ANSWERS[kind]}
    told = {
        "event": event,
        "context": {
            "aws_request_id": context.aws_request_id,
            "remaining": context.get_remaining_time_in_millis(),
            "function_name": context.function_name,
        },
    }
    return {"statusCode": 200, "headers": {"Content-Type": "application/json"}, "body": json.dumps(told)}
