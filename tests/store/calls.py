"""Requests to the app in this process, by the events that the local gateway makes."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from app import app
from infra.local.events import LambdaContext, header_lists, proxy_event
from infra.local.router import Router


class Answer(NamedTuple):
    """What the app answered; body: decoded JSON, None for an empty one."""

    status: int
    body: Any
    headers: dict[str, str]


def call(method: str, path: str, query: str = "", body: Any = None, **headers: str) -> Answer:
    """Send one request to the app, by default as JSON and as ann.

    headers: more of them, with `_` for `-`.
    """
    given = {"content_type": "application/json", "x_parley_user": "ann"} | headers
    scope = {
        "method": method,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "http_version": "1.1",
        "client": ("127.0.0.1", 40_000),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
    }
    match = Router(app.routes).match(path)
    assert match is not None, f"no route has the path {path}"
    raw = b"" if body is None else msgspec.json.encode(body)
    event = proxy_event(scope, path, header_lists(scope), match, raw)
    answer = app(event, LambdaContext("id"))
    decoded = msgspec.json.decode(answer["body"]) if answer["body"] else None
    return Answer(answer["statusCode"], decoded, answer["headers"])
