"""Who may call: nobody unnamed on a closed server, and no page of another site on an open one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed.client import Api
from tests.deployed.target import Target

FREE = {"/ping", "/health", "/openapi.json", "/docs", "/docs/{asset}"}
PARAMETERS = {"chat": "alice:bob", "seq": "1", "asset": "docs.js"}
MESSAGE = {"chat": "alice:bob", "sender": "alice", "text": "hi"}


def check_refused(response: Any, target: Target) -> None:
    """Check that an answer asks for a bearer token."""
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
    assert response.headers[target.challenge_header].startswith("Bearer")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/send"),
        ("GET", "/api/pull?chat=alice:bob"),
        ("POST", "/api/pull"),
        ("POST", "/v1/chats/alice:bob/messages"),
        ("GET", "/v1/chats/alice:bob/messages"),
        ("GET", "/v1/chats/alice:bob/messages/1"),
    ],
)
def test_a_closed_server_trusts_no_name(closed: Api, target: Target, method: str, path: str) -> None:
    """Where a token is required, a name in a header or a body opens nothing."""
    body = {"json": MESSAGE} if method == "POST" else {}
    for headers in ({}, {"Authorization": "Bearer guess"}):
        check_refused(closed.call(method, path, user="alice", headers=headers, **body), target)


def test_a_closed_server_has_no_other_free_route(closed: Api, target: Target) -> None:
    """Every documented route wants a token but ping, health and the documentation's own."""
    paths = closed.call("GET", "/openapi.json").json()["paths"]
    assert paths.keys() > FREE
    for path in paths.keys() - FREE:
        for method in paths[path]:
            body = {} if method == "get" else {"json": MESSAGE}
            check_refused(
                closed.call(method.upper(), path.format_map(PARAMETERS), user="alice", **body), target
            )


def test_a_closed_server_still_answers_ping_and_docs(closed: Api) -> None:
    """Ping, health and the documentation need nobody."""
    for path in FREE:
        assert closed.call("GET", path.format_map(PARAMETERS)).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_an_open_server_refuses_pages_of_other_sites(api: Api, origin: str) -> None:
    """A browser speaking for a page of another origin is refused."""
    response = api.call("POST", "/api/send", json=MESSAGE, headers={"Origin": origin})
    assert (response.status_code, response.json()["code"]) == (403, "cross_site")


def test_an_open_server_takes_its_own_pages(api: Api) -> None:
    """A page of the server's own, such as the documentation, may call it."""
    assert api.call("GET", "/ping", headers={"Origin": api.origin}).status_code == 200
