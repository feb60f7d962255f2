"""The web pages that may call, as a browser sees it (CORS)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deployed.client import Api
from tests.servers.gateway import gateway

pytestmark = pytest.mark.long

LISTED = "https://chat.example.com"
SECOND = "http://localhost:3000"
FOREIGN = [
    "https://evil.example",
    "https://chat.example.com.evil.example",
    "http://chat.example.com",
    "https://chat.example.com:444",
    "null",
    "*",
]
ALLOW_ORIGIN = "Access-Control-Allow-Origin"
MESSAGE = {"chat": "alice:bob", "sender": "alice", "text": "hi"}
# One call for each component that may answer: a route, the guard, Chalice's own errors, the edge itself.
CALLS = [
    ("GET", "/ping", 200),
    ("GET", "/", 200),
    ("GET", "/docs/docs.css", 200),
    ("GET", "/api/pull", 400),
    ("PUT", "/api/send", 405),
    ("GET", "/nowhere", 404),
]


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A client of an open server that lists two origins."""
    with gateway(env={"PARLEY_CORS_ORIGINS": f"{LISTED}, {SECOND}"}) as url:
        client = Api(url)
        yield client
        client.close()


def cors_headers(headers: dict[str, str]) -> set[str]:
    """Return the names of an answer's CORS headers."""
    return {name.lower() for name in headers if name.lower().startswith("access-control-")}


@pytest.mark.parametrize("origin", [LISTED, SECOND])
@pytest.mark.parametrize(("method", "path", "status"), CALLS)
def test_a_listed_page_may_read_every_answer(
    api: Api, origin: str, method: str, path: str, status: int
) -> None:
    """Answers and errors, also the edge's, name the origin and the headers that a page may read."""
    answer = api.call(method, path, headers={"Origin": origin})
    assert (answer.status_code, answer.headers[ALLOW_ORIGIN]) == (status, origin)
    assert "Origin" in answer.headers["Vary"].split(", ")
    exposed = answer.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"X-Request-Id", "Location", "Retry-After", "RateLimit-Remaining"} <= set(exposed)
    assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_listed_page_may_write(api: Api) -> None:
    """An open server refuses pages of other sites, but not those it lists."""
    assert api.call("POST", "/api/send", json=MESSAGE, headers={"Origin": LISTED}).status_code == 204


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize(("method", "path"), [("GET", "/ping"), ("GET", "/nowhere"), ("OPTIONS", "/ping")])
def test_another_page_may_read_nothing(api: Api, origin: str, method: str, path: str) -> None:
    """An unlisted origin, however similar, gets no CORS header, and caches learn that the origin matters."""
    answer = api.call(method, path, headers={"Origin": origin})
    assert cors_headers(dict(answer.headers)) == set()
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", FOREIGN)
def test_another_page_may_not_write(api: Api, origin: str) -> None:
    """An open server still refuses every other page."""
    answer = api.call("POST", "/api/send", json=MESSAGE, headers={"Origin": origin})
    assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/pull", {"GET", "POST", "OPTIONS"}),
        ("/v1/chats/a:b/messages/1", {"GET", "PATCH", "DELETE", "OPTIONS"}),
    ],
)
def test_a_preflight_says_what_a_page_may_send(api: Api, path: str, methods: set[str]) -> None:
    """OPTIONS of a listed page is a 204 with the path's methods, its headers, and their lifetime."""
    asked = {
        "Origin": LISTED,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    answer = api.call("OPTIONS", path, headers=asked)
    assert (answer.status_code, answer.content, answer.headers[ALLOW_ORIGIN]) == (204, b"", LISTED)
    for name in ("Allow", "Access-Control-Allow-Methods"):
        assert set(answer.headers[name].split(", ")) == methods
    taken = answer.headers["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"authorization", "content-type", "idempotency-key", "prefer", "x-parley-user"} <= set(taken)
    assert int(answer.headers["Access-Control-Max-Age"]) > 0


def test_without_the_setting_there_is_no_cors(open_url: str) -> None:
    """A server that lists no origin sends no CORS headers, and answers do not depend on the origin."""
    client = Api(open_url)
    for method in ("GET", "OPTIONS"):
        answer = client.call(method, "/ping", headers={"Origin": LISTED})
        assert cors_headers(dict(answer.headers)) == set()
        assert "Vary" not in answer.headers
    client.close()


def test_a_star_lets_any_page_read_but_not_speak_as_anybody() -> None:
    """`*` is for tokens: any page may read; an open server, which trusts names, still refuses its calls."""
    with gateway(env={"PARLEY_CORS_ORIGINS": "*"}) as url:
        client = Api(url)
        for origin in FOREIGN[:-1]:
            answer = client.call("POST", "/api/send", json=MESSAGE, headers={"Origin": origin})
            assert (answer.status_code, answer.headers[ALLOW_ORIGIN]) == (403, "*")
        assert client.call("OPTIONS", "/api/send", headers={"Origin": LISTED}).headers[ALLOW_ORIGIN] == "*"
        client.close()
    closed = {"PARLEY_CORS_ORIGINS": "*", "PARLEY_AUTH": "required"}
    with gateway(env=closed) as url:
        client = Api(url)
        answer = client.call("POST", "/api/send", json=MESSAGE, headers={"Origin": LISTED})
        assert (answer.status_code, answer.headers[ALLOW_ORIGIN]) == (401, "*")
        client.close()
