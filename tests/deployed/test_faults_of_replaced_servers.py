"""The faults of the two servers with accounts that Parley replaces, each as a test that Parley has it not.

Those that need a feature which is not there yet come with it. With sockets: a socket without a token, a
closing socket that unregisters the newer one, a malformed frame, a frame's own `from`, a slow reader of
frames. With changes of messages: anyone edits anyone's message.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
import redis

from tests.deployed.client import Api
from tests.deployed.people import People, Person
from tests.deployed.target import Target, check_no_route
from tests.servers.engines import ValkeyEngine

TOKENS_MADE_BY_HAND = ("", "secret", "parley", "my_secret_key", "your-256-bit-secret", "changeme")
RUBBISH = (
    b"\0\xff\xfe\r\n\r\n",
    b"GET\r\n\r\n",
    b"POST /v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/send HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"POST /api/send HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{",
)
SLOW = 12
Connect = Callable[[], socket.socket]


@pytest.fixture
def person(people: People) -> Person:
    """A user for one test."""
    return people.new()


@pytest.fixture
def connect(given_url: str | None, target: Target) -> Iterator[Connect]:
    """Return an opener of connections for bytes that are no request."""
    if given_url is not None:
        pytest.skip("half requests and rubbish are sent to a server started here, not to the one at --url")
    address = urlsplit(target.url)
    opened: list[socket.socket] = []

    def connect() -> socket.socket:
        assert address.hostname is not None
        opened.append(socket.create_connection((address.hostname, address.port or 80), 20))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.fixture
def dump(request: pytest.FixtureRequest, given_url: str | None) -> bytes:
    """The whole content of the store, as on its disk."""
    if given_url is not None:
        pytest.skip("the store of the server at --url cannot be read from here")
    engine: ValkeyEngine = request.getfixturevalue("own_store")
    (node,) = engine.nodes
    return dump_of(node)


def dump_of(node: redis.Redis) -> bytes:
    """Return all keys and what they hold, uncompressed."""
    node.config_set("rdbcompression", "no")
    keys = list(node.scan_iter(count=1000))
    return b"\n".join([*keys, *(node.dump(key) or b"" for key in keys)])


def test_not_every_status_is_200(anyone: Api, person: Person) -> None:
    """Success, refusal, unknown and taken each have a status of their own."""
    body = {"username": person.handle, "password": person.password}
    statuses = [
        anyone.call("POST", "/login", json=body).status_code,
        anyone.call("POST", "/register", json=body).status_code,
        anyone.call("POST", "/register", json={}).status_code,
        anyone.call("POST", "/follow?toFollowId=nobody-of-that-name", person=person).status_code,
        anyone.call("POST", "/logout", person=person).status_code,
        anyone.call("POST", "/logout", person=person).status_code,
    ]
    assert statuses == [200, 409, 400, 404, 202, 401]


def test_no_answer_holds_a_hash(anyone: Api) -> None:
    """No answer about a user has the password or its hash."""
    handle, password = anyone.stranger(), "correct horse of mine"
    entries = [
        anyone.call("POST", path, json={name: handle, "password": password})
        for path, name in (("/v1/register", "handle"), ("/v1/login", "handle"), ("/login", "username"))
    ]
    bearer = {"Authorization": f"Bearer {entries[0].json()['token']}"}
    paths = ("users/me", "users/me/export", f"users/{handle}", f"users?q={handle}", "sessions")
    answers = [anyone.call("GET", f"/v1/{path}", headers=bearer) for path in paths]
    for answer in (*entries, *answers):
        assert answer.status_code in (200, 201)
        assert "argon2" not in answer.text
        assert password not in answer.text
        assert "hash" not in answer.text
    for answer in answers:
        assert entries[0].json()["token"] not in answer.text


def jwt(secret: str | None, handle: str) -> str:
    """Return a token of another maker: signed by a shared secret, or not at all."""
    claims = {"sub": handle, "username": handle, "id": handle, "exp": int(time.time()) + 3600}
    header = {"alg": "none" if secret is None else "HS256", "typ": "JWT"}
    head, body = (_base64(json.dumps(part).encode()) for part in (header, claims))
    if secret is None:
        return f"{head}.{body}."
    signature = hmac.new(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256).digest()
    return f"{head}.{body}.{_base64(signature)}"


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_there_is_no_signing_key(anyone: Api, person: Person) -> None:
    """A hand-made token, signed or in Parley's form, is refused."""
    made = [jwt(secret, person.handle) for secret in (None, *TOKENS_MADE_BY_HAND)]
    seeds = (b"", person.handle.encode(), b"secret")
    made += [f"parley_{_base64(hashlib.sha256(seed).digest())}.{person.handle}" for seed in seeds]
    other = anyone.stranger()
    made += [person.token.replace(person.handle, other), person.token[:-1], person.token.swapcase()]
    for token in made:
        refused = anyone.call("GET", "/v1/users/me", headers={"Authorization": f"Bearer {token}"})
        assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")
    assert anyone.call("GET", "/v1/users/me", person=person).status_code == 200


def test_logout_revokes_the_token_for_reads_and_writes(anyone: Api, person: Person) -> None:
    """After a logout the token is refused on every connection, for reads and for writes."""
    assert anyone.call("GET", "/v1/users/me", person=person).status_code == 200
    assert anyone.call("POST", "/v1/logout", person=person).status_code == 202
    for _ in range(5):
        other = Api(anyone.url)
        assert other.call("GET", "/v1/users/me", person=person).status_code == 401
        assert other.call("POST", "/v1/posts", person=person, json={"text": "hi"}).status_code == 401
        other.close()


@pytest.mark.parametrize("path", ["/login", "/v1/login"])
@pytest.mark.parametrize("password", ["", " ", "undefined", "null"])
def test_an_empty_password_lets_nobody_in(anyone: Api, person: Person, path: str, password: str) -> None:
    """A login with an empty password is refused, for unknown and known users."""
    for name in (anyone.stranger(), person.handle):
        refused = anyone.call("POST", path, json={"username": name, "password": password})
        assert (refused.status_code, refused.json()["code"]) == (401, "wrong_credentials")


def test_a_missing_password_lets_nobody_in(anyone: Api, person: Person) -> None:
    """A login without a password, or with null for one, is a 400."""
    for body in ({}, {"password": None}, {"password": 0}, {"password": {"$ne": ""}}):
        assert anyone.call("POST", "/v1/login", json={"handle": person.handle, **body}).status_code == 400


def test_no_password_is_stored(anyone: Api, person: Person, request: pytest.FixtureRequest) -> None:
    """The store holds no password or token in plain text, before and after both are changed."""
    new = "another password of mine"
    body = {"password": person.password, "new_password": new}
    assert anyone.call("PUT", "/v1/users/me/password", person=person, json=body).status_code == 204
    entry = anyone.call("POST", "/v1/login", json={"handle": person.handle, "password": new}).json()
    held: bytes = request.getfixturevalue("dump")
    assert person.handle.encode() in held
    assert b"$argon2id$" in held
    for secret in (person.password, new, person.token, entry["token"]):
        assert secret.partition(".")[0].removeprefix("parley_").encode() not in held


def test_the_sender_is_not_the_bodys_to_say(registered: Api) -> None:
    """A message's sender is the token's user; another sender in the body is refused."""
    chat, alice, bob = registered.new_pair()
    for name in ("sender", "from"):
        assert registered.post(chat, alice, text="hi", **{name: bob}).status_code == 400
    assert registered.post(chat, alice, text="hi").json()["sender"] == alice
    forged = {"chat": chat, "sender": bob, "text": "hi"}
    assert registered.call("POST", "/api/send", user=alice, json=forged).status_code == 403
    assert registered.page(chat, bob)["head"] == 1


def test_only_members_read(registered: Api) -> None:
    """A user who is not in a chat cannot read it, on any path."""
    chat, alice, bob = registered.new_pair()
    stranger = registered.stranger(alice, bob)
    registered.post(chat, alice, text="between us")
    paths = (f"/v1/chats/{chat}/messages", f"/v1/chats/{chat}/messages/1", f"/api/pull?chat={chat}")
    for path in paths:
        refused = registered.call("GET", path, user=stranger)
        assert refused.status_code == 403
        assert "between us" not in refused.text


@pytest.mark.parametrize("group", ["g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10", "r-nobody-writes-here"])
def test_an_unknown_group_is_closed(registered: Api, group: str) -> None:
    """An unknown group or room can be neither read nor written to, and is not made by the attempt."""
    _, alice, _ = registered.new_pair()
    for _ in range(2):
        for answer in (
            registered.call("GET", f"/v1/chats/{group}/messages", user=alice),
            registered.post(group, alice, text="anybody here?"),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "chat_not_found")


@pytest.mark.parametrize("group", ["g-0195a1c2-6f1e-7a51-9d53-2f8d8c3f1a10", "r-nobody-made-this", "g-1"])
def test_an_unknown_group_cannot_be_joined(registered: Api, group: str) -> None:
    """Joining an unknown group or room is a 404, on either path, and makes nothing."""
    _, alice, bob = registered.new_pair()
    for _ in range(2):
        for method, path in (
            ("POST", f"/v1/chats/{group}/join"),
            ("PUT", f"/v1/chats/{group}/members/{bob}"),
            ("GET", f"/ws/joinRoom/{group[2:]}"),
            ("GET", f"/ws/getClients/{group[2:]}"),
            ("GET", f"/v1/chats/{group}"),
        ):
            answer = registered.call(method, path, user=alice)
            assert (answer.status_code, answer.json()["code"]) == (404, "chat_not_found")


def test_only_members_read_a_group(registered: Api) -> None:
    """A user who is not in a group cannot read it, join it or add others."""
    _, alice, bob = registered.new_pair()
    stranger = registered.stranger(alice, bob)
    body = {"kind": "group", "name": "between us", "members": [bob]}
    chat = registered.call("POST", "/v1/chats", user=alice, json=body).json()["chat"]
    registered.post(chat, bob, text="between us")
    for method, path in (
        ("GET", ""),
        ("GET", "/messages"),
        ("GET", "/messages/1"),
        ("GET", "/members"),
        ("GET", "/receipts"),
        ("GET", "/changes"),
        ("POST", "/join"),
        ("PUT", f"/members/{stranger}"),
        ("PUT", f"/invitations/{stranger}"),
        ("PUT", f"/banned/{bob}"),
        ("DELETE", f"/members/{bob}"),
        ("DELETE", ""),
    ):
        refused = registered.call(method, f"/v1/chats/{chat}{path}", user=stranger)
        assert refused.status_code == 403
        assert "between us" not in refused.text
    assert registered.post(chat, stranger, text="let me in").status_code == 403
    assert registered.page(chat, alice)["head"] == 2


def test_a_room_made_again_is_not_emptied(registered: Api) -> None:
    """Making an existing room is a 409 for everybody, and it keeps its members, messages and name."""
    _, alice, bob = registered.new_pair()
    room = f"r{int(time.time() * 1000)}"
    registered.call("POST", "/ws/createRoom", user=alice, json={"id": room, "name": "first"})
    registered.call("GET", f"/ws/joinRoom/{room}", user=bob)
    registered.post(f"r-{room}", bob, text="still here")
    for user in (alice, bob, registered.stranger(alice, bob)):
        again = registered.call("POST", "/ws/createRoom", user=user, json={"id": room, "name": "second"})
        assert (again.status_code, again.json()["code"]) == (409, "already_taken")
    clients = registered.call("GET", f"/ws/getClients/{room}", user=bob).json()
    assert sorted(one["id"] for one in clients) == sorted((alice, bob))
    assert registered.page(f"r-{room}", alice)["messages"][-1]["text"] == "still here"
    assert registered.call("GET", f"/v1/chats/r-{room}", user=bob).json()["name"] == "first"


def test_nobody_changes_anothers_message(registered: Api, target: Target) -> None:
    """Nobody, not even the other member, can change or remove a message."""
    chat, alice, bob = registered.new_pair()
    sent = registered.post(chat, alice, text="as I said").json()
    path, changed = f"/v1/chats/{chat}/messages/{sent['seq']}", {"text": "as you did not"}
    edited = registered.call("PATCH", path, user=bob, json=changed)
    deleted = registered.call("DELETE", path, user=bob, params={"for": "all"})
    assert [(one.status_code, one.json()["code"]) for one in (edited, deleted)] == [(403, "forbidden")] * 2
    for method in ("PUT", "POST"):
        refused = registered.raw(method, path, user=bob, json=changed)
        if target.differs("unknown-method-is-404"):
            check_no_route(refused, target)
        else:
            assert refused.status_code == 405
    assert [one["text"] for one in registered.page(chat, alice)["messages"]] == ["as I said"]


def test_nobody_deletes_anothers_post(registered: Api) -> None:
    """Only its author can delete a post."""
    _, alice, bob = registered.new_pair()
    post = registered.call("POST", "/v1/posts", user=alice, json={"text": "mine"}).json()["id"]
    statuses = [
        registered.call("DELETE", f"/v1/posts/{post}", user=user).status_code for user in (bob, alice, alice)
    ]
    assert statuses == [404, 204, 404]


def test_a_reply_is_never_the_whole_history(registered: Api) -> None:
    """Without a limit a pull has 10, and a cursor for the rest; no list takes a limit beyond the maximum."""
    chat, alice, bob = registered.new_pair()
    for number in range(11):
        registered.send(chat=chat, sender=alice, text=str(number))
    pulled = registered.pull(chat=chat)
    assert (len(pulled["messages"]), pulled["has_more"], pulled["next_cursor"]) == (10, True, 10)
    paths = (f"/v1/chats/{chat}/messages", "/v1/feed", f"/v1/users/{bob}/posts", f"/v1/users/{bob}/followers")
    for path in paths:
        assert registered.call("GET", path, user=alice, params={"limit": 1001}).status_code == 400


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 100_000, b"null", b"\0" * 1000])
def test_a_malformed_request_harms_nobody(anyone: Api, person: Person, body: bytes) -> None:
    """An invalid body is refused on every path that takes one, and the next request is answered."""
    headers = {"Content-Type": "application/json"}
    for path in ("/register", "/v1/login", "/v1/posts"):
        refused = anyone.call("POST", path, person=person, content=body, headers=headers)
        assert refused.status_code == 400
        assert anyone.call("GET", "/v1/users/me", person=person).status_code == 200


@pytest.mark.parametrize("rubbish", RUBBISH)
def test_rubbish_does_not_end_the_server(
    anyone: Api, person: Person, connect: Connect, rubbish: bytes
) -> None:
    """Bytes that are no HTTP, or break off, end at most their own connection."""
    for _ in range(SLOW):
        peer = connect()
        peer.sendall(rubbish)
        peer.shutdown(socket.SHUT_WR)
    for _ in range(SLOW):
        assert anyone.call("GET", "/v1/users/me", person=person).status_code == 200


def test_a_slow_writer_stalls_nobody(registered: Api, connect: Connect) -> None:
    """While clients have sent half a request each, more of them than workers, others write and read."""
    chat, alice, _ = registered.new_pair()
    for _ in range(SLOW):
        connect().sendall(b"POST /v1/login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n{")
    for number in range(20):
        assert registered.post(chat, alice, text=str(number)).status_code == 201
    assert registered.page(chat, alice)["head"] == 20


def test_a_slow_reader_stalls_nobody(registered: Api, people: People, connect: Connect) -> None:
    """While clients ask for long pages and do not read them, others write and read."""
    chat, alice, _ = registered.new_pair()
    for _ in range(40):
        registered.post(chat, alice, text="x" * 16_000)
    path, bearer = f"/v1/chats/{chat}/messages?after=0&limit=1000", people.known(alice).bearer
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {bearer['Authorization']}\r\n\r\n"
    for _ in range(SLOW):
        peer = connect()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.sendall(head.encode() * 5)
    for number in range(20):
        assert registered.post(chat, alice, text=str(number)).status_code == 201
    assert registered.page(chat, alice, limit=1)["head"] == 60


def test_passwords_travel_in_no_url(anyone: Api) -> None:
    """No route takes a password, a token or an email as a query parameter or in its path."""
    paths = anyone.call("GET", "/openapi.json").json()["paths"]
    names = {
        one["name"].lower()
        for path in paths.values()
        for about in path.values()
        for one in about["parameters"]
    }
    assert names
    assert not names & {"password", "new_password", "token", "email", "access_token", "authorization"}
