"""Invalid bytes: refused with a 4xx problem, and nothing stored."""

from __future__ import annotations

import json

import pytest

from tests.deployed.client import Api, check_answer
from tests.deployed.target import Target, check_no_route

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
    pytest.param(b'{"text":"hi","x":\xff}', 400, id="no UTF-8 beside the texts"),
]


BROKEN_UTF8 = [
    pytest.param(b'{"text":"hi\xff\xfe"}', id="in the text"),
    pytest.param(b'{"text":"hi","id":"\xc3\x28"}', id="in the id"),
]


@pytest.mark.parametrize(("body", "status"), BODIES)
def test_v1_send_of_invalid_bytes_stores_nothing(api: Api, body: bytes, status: int) -> None:
    """A /v1 send of invalid bytes is refused, and the chat stays empty."""
    chat, alice, _ = api.new_pair()
    path, headers = f"/v1/chats/{chat}/messages", {"Content-Type": "application/json"}
    response = api.call("POST", path, user=alice, content=body, headers=headers)
    assert response.status_code == status
    assert api.page(chat, alice)["head"] == 0


@pytest.mark.parametrize(("body", "status"), BODIES)
def test_legacy_send_of_invalid_bytes_stores_nothing(api: Api, body: bytes, status: int) -> None:
    """A legacy send of invalid bytes to a valid chat is refused, and the chat stays empty."""
    chat, alice, _ = api.new_pair()
    response = api.call("POST", "/api/send", speaker=alice, content=with_names(body, chat, alice))
    assert response.status_code == status
    assert api.pull(chat=chat)["messages"] == []


@pytest.mark.parametrize(("body", "status"), BODIES[1:])
def test_legacy_pull_with_an_invalid_body_is_refused(api: Api, body: bytes, status: int) -> None:
    """A legacy pull with an invalid body is refused."""
    assert api.call("GET", "/api/pull", speaker="a:b", content=body).status_code == status


@pytest.mark.parametrize("body", BROKEN_UTF8)
def test_a_body_that_is_not_utf8_is_refused(api: Api, target: Target, body: bytes) -> None:
    """A body of broken UTF-8 is a 400 and stores nothing."""
    chat, alice, _ = api.new_pair()
    path, headers = f"/v1/chats/{chat}/messages", {"Content-Type": "application/json"}
    statuses = [
        api.call("POST", path, user=alice, content=body, headers=headers).status_code,
        api.call("POST", "/api/send", speaker=alice, content=with_names(body, chat, alice)).status_code,
    ]
    texts = [message["text"] for message in api.page(chat, alice)["messages"]]
    if target.differs("broken-utf8-is-replaced"):
        assert statuses == [400 if b'"x"' in body else 201, 204]  # under /v1 the unknown field is refused
        assert {text.rstrip("\ufffd") for text in texts} == {"hi"}
    else:
        assert (statuses, texts) == ([400, 400], [])
    assert api.call("GET", "/api/pull", speaker=alice, content=body).status_code == 400


def with_names(body: bytes, chat: str, sender: str) -> bytes:
    """Return a send's body with a chat and a sender put before its text."""
    return body.replace(b'{"text"', b'{"chat":"%s","sender":"%s","text"' % (chat.encode(), sender.encode()))


@pytest.mark.parametrize(
    "path", ["/v1/chats/%FF%FE:b/messages", "/v1/chats/a:b/messages/%FF", "/v1/chats/a%00:b/messages"]
)
def test_a_broken_path_is_a_400(api: Api, target: Target, path: str) -> None:
    """A path that is not UTF-8, or contains a NUL, is refused."""
    refused = api.call("GET", path, user=api.stranger())
    if target.differs("broken-query-is-replaced") and ":b/" in path and "%FF" in path:
        assert (refused.status_code, refused.json()["code"]) == (403, "not_a_member")
    else:
        assert refused.status_code == 400


@pytest.mark.parametrize("path", ["/nope", "/v1", "/v1/chatter", "/v1/sync/all", "/api/send/more"])
def test_an_unknown_path_is_a_404(anyone: Api, target: Target, path: str) -> None:
    """A path of no route is a 404 problem, with and without a token."""
    for headers in ({}, {"Authorization": "Bearer guess"}):
        check_no_route(anyone.raw("GET", path, headers=headers), target)


def test_two_slashes_are_not_one(anyone: Api, target: Target) -> None:
    """A path with an empty segment before a route's is no route."""
    response = anyone.raw("GET", "//ping")
    if target.differs("leading-slashes-are-merged"):
        assert response.status_code == 200
    else:
        check_no_route(response, target)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "FOO"])
def test_a_method_no_route_has_is_refused(anyone: Api, target: Target, method: str) -> None:
    """A known path with another method is a 405 problem that lists its methods."""
    response = anyone.raw(method, "/api/send")
    if target.differs("unknown-method-is-404"):
        check_no_route(response, target)
    else:
        check_answer(response)
        assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
        assert set(response.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


def test_options_says_what_a_path_takes(anyone: Api) -> None:
    """OPTIONS is a 204 with the path's methods, and nothing about CORS for a page that is not listed."""
    response = anyone.call("OPTIONS", "/api/pull", headers={"Origin": "https://evil.example"})
    assert (response.status_code, response.content) == (204, b"")
    assert set(response.headers["Allow"].split(", ")) == {"GET", "POST", "OPTIONS"}
    assert not [name for name in response.headers if name.startswith("access-control-")]


def test_v1_takes_json_only(api: Api) -> None:
    """A /v1 body under another media type is a 415 problem."""
    body, headers = json.dumps({"text": "hi"}), {"Content-Type": "text/plain"}
    chat, alice, _ = api.new_pair()
    response = api.call("POST", f"/v1/chats/{chat}/messages", user=alice, content=body, headers=headers)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("text", ["hi%FF%FE", "hi%C3%28"])
def test_a_query_that_is_not_utf8_is_refused(api: Api, target: Target, text: str) -> None:
    """A query whose percent-encoding is not UTF-8 is refused, not stored as something else."""
    chat, alice, _ = api.new_pair()
    query = f"chat={chat}&sender={alice}&text={text}"
    sent = api.call("POST", f"/api/send?{query}", speaker=alice).status_code
    pulled = api.call("GET", f"/api/pull?chat={chat}%FF", speaker=alice).status_code
    texts = [message["text"] for message in api.page(chat, alice)["messages"]]
    if target.differs("broken-query-stays-encoded"):
        assert (sent, pulled) == (204, 200)
        assert texts[0].startswith("hi%")
    elif target.differs("broken-query-is-replaced"):
        assert (sent, pulled) == (204, 200)
        assert texts[0].startswith("hi\ufffd")
    else:
        assert (sent, pulled, texts) == (400, 400, [])


def test_a_header_beyond_ascii_is_not_taken_for_none(api: Api) -> None:
    """An Idempotency-Key that is not ASCII is refused; dropped, it would let a retry be stored again."""
    chat, alice, _ = api.new_pair()
    headers = {"Idempotency-Key": "k\u00e9y".encode()}
    message = {"chat": chat, "sender": alice, "text": "hi"}
    statuses = [
        api.call("POST", "/api/send", speaker=alice, json=message, headers=headers).status_code
        for _ in range(2)
    ]
    assert statuses == [400, 400]
    assert api.pull(chat=chat)["messages"] == []
