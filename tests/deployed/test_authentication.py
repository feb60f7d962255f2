"""Authentication: unknown callers, other users' names, and pages of other sites are refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.deployed.client import Api, fields_at_fault
from tests.deployed.people import People
from tests.deployed.target import Target, check_no_route

PAGES = {"/", "/ping", "/health", "/openapi.json", "/asyncapi.json", "/docs", "/docs/{asset}"}
ENTRANCES = {"/register", "/login", "/v1/register", "/v1/login"}
FREE = {("get", path) for path in PAGES} | {("post", path) for path in ENTRANCES}
PARAMETERS = {"chat": "alice:bob", "seq": "1", "asset": "docs.js"}
MESSAGE = {"chat": "alice:bob", "sender": "alice", "text": "hi"}
BODIES = ("post", "put", "patch")


def check_refused(response: Any, target: Target) -> None:
    """Check that an answer asks for a bearer token."""
    assert (response.status_code, response.json()["code"]) == (401, "not_authenticated"), response.request.url
    assert response.headers[target.challenge_header].startswith("Bearer")


def operations(api: Api) -> dict[tuple[str, str], Any]:
    """Return the server's documented operations, by method and path."""
    paths = api.call("GET", "/openapi.json").json()["paths"]
    return {(method, path): about for path, of_path in paths.items() for method, about in of_path.items()}


def path_of(path: str, operation: Any) -> str:
    """Return a path with the examples of its parameters."""
    examples = {one["name"]: one.get("example") for one in operation["parameters"] if one["in"] == "path"}
    return path.format_map(examples)


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
    """Where a token is required, a name in a header or a body does not authenticate."""
    body = {"json": MESSAGE} if method == "POST" else {}
    for headers in ({}, {"Authorization": "Bearer guess"}):
        named = {"X-Parley-User": "alice", **headers}
        check_refused(closed.call(method, path, headers=named, **body), target)


def test_a_closed_server_has_no_other_free_route(closed: Api, target: Target) -> None:
    """Every documented route needs a token except the pages, registration and login."""
    documented = operations(closed)
    assert documented.keys() > FREE
    for (method, path), operation in documented.items():
        if (method, path) not in FREE:
            assert "security" in operation, (method, path)
            body: dict[str, Any] = {"json": {}} if method in BODIES else {}
            for headers in ({}, {"X-Parley-User": "alice"}, {"Authorization": "Bearer guess"}):
                answer = closed.call(method.upper(), path_of(path, operation), headers=headers, **body)
                check_refused(answer, target)


def test_a_closed_server_still_answers_pages_and_entrances(closed: Api) -> None:
    """The pages need no token; registration and login answer an empty body with a 400 and no 401."""
    for path in PAGES:
        assert closed.call("GET", path.format_map(PARAMETERS)).status_code == 200
    for path in ENTRANCES:
        assert closed.call("POST", path, json={}).status_code == 400


@pytest.mark.parametrize("path", ["/v1/users/me", "/v1/sessions", "/v1/feed", "/v1/users/me/blocked"])
def test_an_account_is_more_than_a_name(anyone: Api, target: Target, path: str) -> None:
    """Operations of accounts need a token on an open server too."""
    for headers in ({}, {"X-Parley-User": "alice"}):
        check_refused(anyone.call("GET", path, headers=headers), target)


def test_an_open_server_believes_no_name_that_has_an_account(
    named: Api, registered: Api, people: People, target: Target
) -> None:
    """A user with an account needs a token: in the header, in a body, and as a chat's reader."""
    _, alice, bob = registered.new_pair()
    chat = f"{alice}:{bob}"
    check_refused(named.call("POST", f"/v1/chats/{chat}/messages", user=alice, json={"text": "hi"}), target)
    check_refused(named.send(chat=chat, sender=alice, text="hi"), target)
    check_refused(named.call("POST", "/api/pull", json={"chat": chat}), target)
    assert registered.page(chat, alice)["head"] == 0


def test_another_is_not_spoken_for(registered: Api) -> None:
    """A token is valid for its own user alone, whatever the header, the body or the query says."""
    chat, alice, bob = registered.new_pair()
    headers = {"X-Parley-User": bob}
    path, body = f"/v1/chats/{chat}/messages", {"text": "hi"}
    for name in ("sender", "from", "user"):
        refused = registered.call("POST", path, user=alice, json={**body, name: bob}, headers=headers)
        assert (refused.status_code, fields_at_fault(refused)) == (400, [name])
    refused = registered.call("POST", f"{path}?user={bob}", user=alice, json=body, headers=headers)
    assert (refused.status_code, fields_at_fault(refused)) == (400, ["user"])
    sent = registered.call("POST", path, user=alice, json=body, headers=headers)
    assert (sent.status_code, sent.json()["sender"]) == (201, alice)
    message = {"chat": chat, "sender": bob, "text": "hi"}
    refused = registered.call("POST", "/api/send", user=alice, json=message, headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert [one["sender"] for one in registered.pull(chat=chat)["messages"]] == [alice]


def test_anothers_chat_is_closed(registered: Api) -> None:
    """A user who is not a member is refused on the legacy paths as well."""
    chat, alice, bob = registered.new_pair()
    stranger = registered.stranger(alice, bob)
    message = {"chat": chat, "sender": alice, "text": "hi"}
    assert registered.call("POST", "/api/send", user=stranger, json=message).status_code == 403
    for method, options in (("POST", {"json": {"chat": chat}}), ("GET", {"params": {"chat": chat}})):
        refused = registered.call(method, "/api/pull", user=stranger, **options)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_a_member")
    assert registered.page(chat, alice)["head"] == 0


def test_anothers_session_is_not_found(registered: Api) -> None:
    """Only its user can end a session; others do not learn that it exists."""
    _, alice, bob = registered.new_pair()
    mine = {one["id"] for one in registered.call("GET", "/v1/sessions", user=alice).json()["sessions"]}
    (session,) = {one["id"] for one in registered.call("GET", "/v1/sessions", user=bob).json()["sessions"]}
    refused = registered.call("DELETE", f"/v1/sessions/{session}", user=alice)
    assert (refused.status_code, refused.json()["code"]) == (404, "session_not_found")
    assert session not in mine
    assert registered.call("GET", "/v1/sessions", user=bob).status_code == 200


def test_anothers_post_is_not_found(registered: Api) -> None:
    """Only its author can delete a post."""
    _, alice, bob = registered.new_pair()
    post = registered.call("POST", "/v1/posts", user=bob, json={"text": "mine"}).json()["id"]
    refused = registered.call("DELETE", f"/v1/posts/{post}", user=alice)
    assert (refused.status_code, refused.json()["code"]) == (404, "post_not_found")
    posts = registered.call("GET", f"/v1/users/{bob}/posts", user=alice).json()["posts"]
    assert post in [one["id"] for one in posts]


@pytest.mark.parametrize("method", ["PATCH", "DELETE", "PUT"])
def test_anothers_profile_cannot_be_changed(registered: Api, target: Target, method: str) -> None:
    """No route changes or deletes another user's profile."""
    _, alice, bob = registered.new_pair()
    refused = registered.raw(method, f"/v1/users/{bob}", user=alice, json={"name": "changed"})
    if target.differs("unknown-method-is-404"):
        check_no_route(refused, target)
    else:
        assert refused.status_code == 405
    assert registered.call("GET", f"/v1/users/{bob}", user=bob).json()["name"] == ""


@pytest.mark.parametrize("path", ["export", "blocked", "password", "sessions"])
def test_anothers_secrets_have_no_route(registered: Api, path: str) -> None:
    """A user's own data is under `me`, and under no other handle."""
    _, alice, bob = registered.new_pair()
    refused = registered.raw("GET", f"/v1/users/{bob}/{path}", user=alice)
    assert refused.status_code in (400, 403, 404)  # 400: a handle with a slash in it is asked for
    assert registered.raw("GET", f"/v1/users/{bob}", user=alice).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1"])
def test_an_open_server_refuses_pages_of_other_sites(named: Api, origin: str) -> None:
    """A browser that calls for a page of another origin is refused."""
    response = named.call("POST", "/api/send", json=MESSAGE, headers={"Origin": origin})
    assert (response.status_code, response.json()["code"]) == (403, "cross_site")


def test_an_open_server_takes_its_own_pages(named: Api) -> None:
    """A page of the server's own, such as the documentation, may call it."""
    assert named.call("GET", "/ping", headers={"Origin": named.origin}).status_code == 200
