"""Requests to the app in this process, by events as API Gateway documents them (REST proxy, 1.0)."""

from __future__ import annotations

import re
from typing import Any, NamedTuple
from urllib.parse import parse_qs

import msgspec

from app import app


class Answer(NamedTuple):
    """The answer of the app; body: decoded JSON, or None for an empty one."""

    status: int
    body: Any
    headers: dict[str, str]


def call(method: str, path: str, query: str = "", body: Any = None, **headers: str) -> Answer:
    """Send one request to the app, by default as JSON and as ann.

    headers: more of them, with `_` for `-`.
    """
    given = {"Content_Type": "application/json", "X_Parley_User": "ann", "Host": "localhost"} | headers
    resource, parameters = _matched(path)
    event = {
        "resource": resource,
        "path": path,
        "httpMethod": method,
        "headers": {name.replace("_", "-"): value for name, value in given.items()},
        "multiValueQueryStringParameters": parse_qs(query) or None,
        "pathParameters": parameters,
        "stageVariables": None,
        "requestContext": {
            "httpMethod": method,
            "path": path,
            "resourcePath": resource,
            "requestId": "7b1f0c5e-gateway",
            "identity": {"sourceIp": "127.0.0.1"},
        },
        "body": None if body is None else msgspec.json.encode(body).decode(),
        "isBase64Encoded": False,
    }
    answer = app(event, None)
    decoded = msgspec.json.decode(answer["body"]) if answer["body"] else None
    return Answer(answer["statusCode"], decoded, answer["headers"])


def _matched(path: str) -> tuple[str, dict[str, str]]:
    for resource in app.routes:
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", resource)
        if match := re.fullmatch(pattern, path):
            return resource, match.groupdict()
    raise AssertionError(f"no route has the path {path}")
