"""Unknown input is refused under /v1, and ignored on the legacy paths and on public pages."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed.client import PROBLEM, Api, fields_at_fault
from tests.deployed.target import Target

BODIES: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("POST", "/v1/chats/{chat}/messages", {"text": "x", "mentions": ["a"]}, "mentions", "`reply_to`"),
    ("POST", "/v1/chats/{chat}/messages", {"text": "x", "replyTo": 1}, "replyTo", "did you mean `reply_to`?"),
    ("POST", "/v1/chats/{chat}/messages", {"text": "x", "TEXT": "y"}, "TEXT", "did you mean `text`?"),
    ("PUT", "/v1/chats/{chat}/read", {"sequence": 1}, "sequence", "`seq`"),
    ("PATCH", "/v1/chats/{chat}/flags", {"pined": True}, "pined", "did you mean `pinned`?"),
    ("POST", "/v1/chats", {"kind": "group", "name": "x", "member": ["bob"]}, "member", "`members`"),
    ("POST", "/v1/realtime/ticket", {"rooms": "lobby"}, "rooms", "did you mean `room`?"),
    ("POST", "/v1/chats/{chat}/leave", {"silently": True}, "silently", "this call takes none"),
]
QUERIES = [
    ("GET", "/v1/chats/{chat}/messages?q=hello", "q", "the known ones are `after`, `before` and `limit`"),
    ("GET", "/v1/chats/{chat}/messages?limit=5&befor=3", "befor", "did you mean `before`?"),
    ("GET", "/v1/chats/{chat}/messages/1?format=html", "format", "this call takes none"),
    ("GET", "/v1/chats?page=2", "page", "the known ones are"),
    ("GET", "/v1/sync?Cursor=2", "Cursor", "the known ones are `since` and `limit`"),
    ("GET", "/v1/chats/{chat}?fields=", "fields", "this call takes none"),
    ("POST", "/v1/chats/{chat}/leave?force=1", "force", "this call takes none"),
]
PUBLIC = [
    "/?utm_source=x",
    "/ping?x=1",
    "/health?x=1",
    "/docs?x=1",
    "/openapi.json?x=1",
    "/asyncapi.json?x=1",
]


@pytest.mark.parametrize(("method", "path", "body", "field", "said"), BODIES)
def test_an_unknown_field_is_refused(
    api: Api, method: str, path: str, body: dict[str, Any], field: str, said: str
) -> None:
    """An unknown field of a /v1 call is a 400 that names it, as written, and suggests a known one."""
    chat, alice, _ = api.new_pair()
    answer = api.call(method, path.format(chat=chat), user=alice, json=body)
    assert (answer.status_code, fields_at_fault(answer)) == (400, [field])
    assert said in answer.json()["detail"]
    assert api.page(chat, alice)["head"] == 0


@pytest.mark.parametrize(("method", "path", "field", "said"), QUERIES)
def test_an_unknown_query_parameter_is_refused(
    api: Api, method: str, path: str, field: str, said: str
) -> None:
    """An unknown query parameter is a 400, for calls with and without parameters."""
    chat, alice, _ = api.new_pair()
    answer = api.call(method, path.format(chat=chat), user=alice)
    assert (answer.status_code, fields_at_fault(answer)) == (400, [field])
    assert said in answer.json()["detail"]


def test_unauthenticated_caller_learns_nothing_of_the_input(anyone: Api) -> None:
    """An unauthenticated caller is refused, and learns nothing of the input that the call takes."""
    headers = {"Authorization": "Bearer parley_" + "x" * 43 + ".alice"}
    for path in ("/v1/users/me?x=1", "/v1/chats/alice:bob/messages?x=1"):
        assert anyone.call("GET", path, headers=headers).status_code == 401


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_ignore_a_query(anyone: Api, path: str) -> None:
    """A link to a page may have parameters for others."""
    assert anyone.call("GET", path).status_code == 200


def test_a_preflight_ignores_a_query(anyone: Api) -> None:
    """A browser's preflight passes, and the call itself gets the refusal."""
    assert anyone.call("OPTIONS", "/v1/chats?x=1").status_code == 204


def test_legacy_paths_ignore_what_they_do_not_know(api: Api) -> None:
    """Clients of the legacy paths may send unknown fields."""
    chat, alice, _ = api.new_pair()
    sent = {"chat": chat, "sender": alice, "text": "hi", "mentions": ["a"]}
    assert api.call("POST", "/api/send?v=2", speaker=alice, json=sent).status_code == 204
    assert [one["text"] for one in api.pull(chat=chat, unknown="1")["messages"]] == ["hi"]
    unknown = {"username": "nobody-here", "password": "wrong password", "device": "phone"}
    assert api.call("POST", "/login", json=unknown).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "body", "field", "values"),
    [
        ("POST", "/v1/chats/{chat}/messages", {"text": "x", "kind": "image"}, "kind", "`text`"),
        ("POST", "/v1/chats", {"kind": "channel"}, "kind", "`direct`, `group` or `room`"),
        (
            "POST",
            "/v1/chats",
            {"kind": "group", "name": "x", "join": "ask"},
            "join",
            "`invite`, `open` or `request`",
        ),
        ("PATCH", "/v1/chats/r-x/members/bob", {"role": "king"}, "role", "`admin`, `member` or `owner`"),
    ],
)
def test_a_refused_value_names_those_that_are_allowed(
    api: Api, method: str, path: str, body: dict[str, Any], field: str, values: str
) -> None:
    """An unknown value of an enumeration is a 400 that lists the known ones."""
    chat, alice, _ = api.new_pair()
    answer = api.call(method, path.format(chat=chat), user=alice, json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"field": field, "detail": f"it must be {values}"}]


@pytest.mark.parametrize(("number", "status"), [("1.0", 204), ("1", 204), ("1e0", 400), ("1.5", 400)])
def test_a_whole_number_is_one_everywhere(api: Api, number: str, status: int) -> None:
    """1.0 is a whole number in a body and in a query, for /v1 and before; 1e0 is none."""
    chat, alice, _ = api.new_pair()
    for _ in range(2):
        api.post(chat, alice, text="hi")
    headers = {"Content-Type": "application/json"}
    content = f'{{"seq":{number}}}'
    read = api.call("PUT", f"/v1/chats/{chat}/read", user=alice, content=content, headers=headers)
    page = api.call("GET", f"/v1/chats/{chat}/messages?limit={number}", user=alice)
    pulled = api.call("GET", f"/api/pull?chat={chat}&limit={number}", speaker=chat)
    content = f'{{"chat":"{chat}","limit":{number}}}'
    posted = api.call("POST", "/api/pull", speaker=chat, content=content, headers=headers)
    found = [read.status_code, page.status_code, pulled.status_code, posted.status_code]
    assert found == ([204, 200, 200, 200] if status == 204 else [400] * 4)


def test_the_field_at_fault_is_the_one_that_was_written(api: Api) -> None:
    """A cursor too far is `cursor`, a header has its own name, half of a pair is at its field."""
    chat, alice, _ = api.new_pair()
    api.post(chat, alice, text="hi")
    for mark in ("read", "received"):
        for field, value in (("cursor", "7"), ("seq", 7)):
            answer = api.call("PUT", f"/v1/chats/{chat}/{mark}", user=alice, json={field: value})
            assert (answer.status_code, fields_at_fault(answer)) == (400, [field])
    path = f"/v1/chats/{chat}/messages"
    answer = api.call("POST", path, user=alice, json={"text": "x"}, headers={"Idempotency-Key": "x" * 65})
    assert fields_at_fault(answer) == ["Idempotency-Key"]
    answer = api.call(
        "POST", path, user=alice, content=b'{"text":"\\ud83d"}', headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400
    assert fields_at_fault(answer) == ["text"]
    answer = api.call("POST", "/register", json={"username": "a b", "password": "a good password"})
    assert fields_at_fault(answer) == ["username"]


@pytest.mark.parametrize("encoding", ["gzip", "br", "identity, gzip", "x-unknown"])
@pytest.mark.parametrize("path", ["/v1/chats/{chat}/messages", "/api/send"])
def test_an_encoded_body_is_a_415(api: Api, target: Target, path: str, encoding: str) -> None:
    """A compressed body is refused with the accepted encoding, and nothing is stored."""
    chat, alice, _ = api.new_pair()
    body = {"text": "hi"} if "v1" in path else {"chat": chat, "sender": alice, "text": "hi"}
    caller = {"user": alice} if "v1" in path else {"speaker": alice}
    sent = {"json": body, "headers": {"Content-Encoding": encoding}, **caller}
    if encoding == "gzip" and target.differs("gzip-is-unpacked"):
        answer = api.raw("POST", path.format(chat=chat), **sent)
        assert answer.status_code >= 400
        assert answer.headers["Content-Type"] != PROBLEM
    else:
        answer = api.call("POST", path.format(chat=chat), **sent)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
        assert answer.headers["Accept-Encoding"] == "identity"
    assert api.page(chat, alice)["head"] == 0
    sent["headers"] = {"Content-Encoding": "Identity"}
    assert api.call("POST", path.format(chat=chat), **sent).status_code in (201, 204)
