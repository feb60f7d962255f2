"""Bytes that are no request of ours: refused with a 4xx problem, nothing stored."""

from __future__ import annotations

import json

import pytest

from tests.http.client import Api, new_pair

DEEP = 100_000
LARGE = 10 * 1024 * 1024

BODIES = [
    pytest.param(b"", 400, id="empty"),
    pytest.param(b"{", 400, id="cut off"),
    pytest.param(b"null", 400, id="null"),
    pytest.param(b"[]", 400, id="list"),
    pytest.param(b'"text"', 400, id="string"),
    pytest.param(b"{}{}", 400, id="two objects"),
    pytest.param(b"{'text':'hi'}", 400, id="single quotes"),
    pytest.param(b'{"text":NaN}', 400, id="NaN"),
    pytest.param(b'{"text":"\xff\xfe"}', 400, id="broken UTF-8"),
    pytest.param(b'{"text":"hi","x":"\xc3\x28"}', 400, id="broken UTF-8 in an unknown field"),
    pytest.param(b'{"text":"\\ud800"}', 400, id="lone surrogate"),
    pytest.param(b'{"text":"\\u0000"}', 400, id="NUL"),
    pytest.param(b'{"text":"a\0b"}', 400, id="raw NUL"),
    pytest.param(b"\xef\xbb\xbf{}", 400, id="byte order mark"),
    pytest.param(b'{"text":1e999}', 400, id="number out of range"),
    pytest.param(b'{"text":' + b"[" * DEEP + b"]" * DEEP + b"}", 400, id="deep"),
    pytest.param(
        b'{"text":"hi","x":' + b'{"x":' * 30_000 + b"1" + b"}" * 30_000 + b"}", 400, id="deep and unknown"
    ),
    pytest.param(b'{"text":"%s"}' % (b"x" * (256 * 1024)), 413, id="over 256 KiB"),
    pytest.param(b'{"text":"%s"}' % (b"x" * LARGE), 413, id="10 MB"),
    pytest.param(b"\0" * 1000, 400, id="zeros"),
]


@pytest.mark.parametrize(("body", "status"), BODIES)
def test_v1_refuses(api: Api, body: bytes, status: int) -> None:
    """A /v1 send of such bytes is refused, and the chat stays empty."""
    chat, alice, _ = new_pair()
    path, headers = f"/v1/chats/{chat}/messages", {"Content-Type": "application/json"}
    response = api.call("POST", path, user=alice, content=body, headers=headers)
    assert response.status_code == status
    assert api.page(chat, alice)["head"] == 0


@pytest.mark.parametrize(("body", "status"), BODIES)
def test_the_classic_send_refuses(api: Api, body: bytes, status: int) -> None:
    """A classic send of such bytes, chat and sender being right, is refused and the chat stays empty."""
    chat, alice, _ = new_pair()
    named = body.replace(b'{"text"', b'{"chat":"%s","sender":"%s","text"' % (chat.encode(), alice.encode()))
    response = api.call("POST", "/api/send", content=named)
    assert response.status_code == status
    assert api.pull(chat=chat)["messages"] == []


@pytest.mark.parametrize(("body", "status"), BODIES[1:])
def test_the_classic_pull_refuses(api: Api, body: bytes, status: int) -> None:
    """A pull with such a body is refused."""
    assert api.call("GET", "/api/pull", content=body).status_code == status


@pytest.mark.parametrize(
    "path", ["/v1/chats/%FF%FE:b/messages", "/v1/chats/a:b/messages/%FF", "/v1/chats/a%00:b/messages"]
)
def test_a_broken_path_is_a_400(api: Api, path: str) -> None:
    """A path that is not UTF-8, or holds a NUL, is refused."""
    assert api.call("GET", path, user="a").status_code == 400


@pytest.mark.parametrize(
    "path", ["/", "/nope", "/v1", "/v1/chats", "/v1/chats//messages", "/api/send/more", "//ping"]
)
def test_an_unknown_path_is_a_404(api: Api, path: str) -> None:
    """A path of no route is a 404 problem."""
    response = api.call("GET", path)
    assert (response.status_code, response.json()["code"]) == (404, "no_such_route")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"])
def test_a_method_no_route_has_is_a_405(api: Api, method: str) -> None:
    """A known path with another method is a 405 problem that says what it takes."""
    response = api.call(method, "/api/send")
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response.headers["Allow"] == "POST"


def test_v1_takes_json_only(api: Api) -> None:
    """A /v1 body under another media type is a 415 problem."""
    body, headers = json.dumps({"text": "hi"}), {"Content-Type": "text/plain"}
    response = api.call("POST", "/v1/chats/a:b/messages", user="a", content=body, headers=headers)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("query", ["chat=a:b&sender=a&text=%FF%FE", "chat=a%FF:b&sender=a&text=hi"])
def test_a_broken_query_is_a_400(api: Api, query: str) -> None:
    """A query whose percent-encoding is not UTF-8 is refused, not stored as something else."""
    assert api.call("POST", f"/api/send?{query}").status_code == 400
    assert api.call("GET", "/api/pull?chat=a%FF:b").status_code == 400


def test_a_header_beyond_ascii_is_not_taken_for_none(api: Api) -> None:
    """An Idempotency-Key that is not ASCII is refused; dropped, it would let a retry be stored again."""
    chat, alice, _ = new_pair()
    headers = {"Idempotency-Key": "k\u00e9y".encode()}
    message = {"chat": chat, "sender": alice, "text": "hi"}
    assert api.call("POST", "/api/send", json=message, headers=headers).status_code == 400
    assert api.call("GET", "/ping", headers={"Host": "evil\u00e9.example".encode()}).status_code == 403
    assert api.pull(chat=chat)["messages"] == []
