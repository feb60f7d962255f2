"""A server that is not open, and what an open one still refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.client import Api
from tests.servers.gateway import gateway


@pytest.fixture(scope="module")
def closed() -> Iterator[Api]:
    """A client of a server with PARLEY_AUTH=required."""
    with gateway(env={"PARLEY_AUTH": "required"}) as url:
        client = Api(url)
        yield client
        client.close()


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
def test_a_closed_server_trusts_no_name(closed: Api, method: str, path: str) -> None:
    """Where a token is required, a name in a header or a body opens nothing."""
    body = {"json": {"chat": "alice:bob", "sender": "alice", "text": "hi"}} if method == "POST" else {}
    for headers in ({}, {"Authorization": "Bearer guess"}):
        response = closed.call(method, path, user="alice", headers=headers, **body)
        assert (response.status_code, response.json()["code"]) == (401, "not_authenticated")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_closed_server_still_answers_ping_and_docs(closed: Api) -> None:
    """Ping, health and the documentation need nobody."""
    for path in ("/ping", "/health", "/openapi.json", "/docs"):
        assert closed.call("GET", path).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_an_open_server_refuses_pages_of_other_sites(api: Api, origin: str) -> None:
    """A browser speaking for a page of another origin is refused."""
    message = {"chat": "alice:bob", "sender": "alice", "text": "hi"}
    response = api.call("POST", "/api/send", json=message, headers={"Origin": origin})
    assert (response.status_code, response.json()["code"]) == (403, "cross_site")


def test_an_open_server_takes_its_own_pages(api: Api) -> None:
    """A page of the server's own, such as the documentation, may call it."""
    assert api.call("GET", "/ping", headers={"Origin": api.url}).status_code == 200


def test_an_open_server_refuses_other_hosts(api: Api) -> None:
    """A name that is not loopback's is refused, so that no site's DNS can point a browser here."""
    response = api.call("GET", "/ping", headers={"Host": "evil.example"})
    assert response.status_code == 403
