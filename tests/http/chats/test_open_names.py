"""Open names with characters that a URL uses for itself."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from tests.deployed.client import Api

SEND = {"text": "hi"}


def chat_of(name: str) -> tuple[str, str]:
    """Return the path of a chat with a new name that ends in some characters, and its other member."""
    other = f"b{uuid.uuid4().hex[:12]}"
    return f"/v1/chats/{quote(f'a{uuid.uuid4().hex[:12]}{name}:{other}', safe='')}", other


def answers(api: Api, name: str) -> list[tuple[int, Any]]:
    """Return what the routes of a chat answer to its other member: status and code."""
    path, other = chat_of(name)
    calls = [
        ("POST", f"{path}/messages", SEND),
        ("GET", path, None),
        ("GET", f"{path}/members", None),
        ("GET", f"{path}/messages/1", None),
        ("POST", f"{path}/leave", None),
        ("GET", path, None),
        ("POST", f"{path}/members", {"users": ["carol"]}),
    ]
    found = [api.call(method, path, user=other, json=body) for method, path, body in calls]
    return [(one.status_code, one.json().get("code") if one.content else None) for one in found]


@pytest.mark.parametrize(
    "name", ["/x", "/leave", "/members", "/messages/1", "//", "?x", "#x", "%", "%2F", ";x", "+"]
)
def test_a_name_reaches_the_routes_of_its_chat(api: Api, name: str) -> None:
    """A slash, a question mark or a percent sign in an open name belongs to the name on every route."""
    assert answers(api, name) == answers(api, "")
    assert answers(api, "")[0] == (201, None)
