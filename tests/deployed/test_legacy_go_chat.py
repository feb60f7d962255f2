"""Go-Chat's paths: each row of its table, with its status.

The life in its rooms on a socket is not in this release: it comes with sockets.
"""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.deployed.client import Api
from tests.deployed.people import People, Person
from tests.deployed.target import Target
from tests.servers.waiting import eventually

WITH_A_TOKEN = [("POST", "/logout"), ("DELETE", "/delete"), ("POST", "/follow"), ("POST", "/unfollow")]
IN_ROOMS = [
    ("POST", "/ws/createRoom"),
    ("GET", "/ws/joinRoom/lobby"),
    ("GET", "/ws/getRooms"),
    ("GET", "/ws/getClients/lobby"),
]


@pytest.fixture
def person(people: People) -> Person:
    """A user whom the test may log out and delete."""
    return people.new()


def counts(api: Api, handle: str) -> tuple[int, int]:
    """Return a user's numbers of followers and followed users."""
    user = api.call("GET", f"/v1/users/{handle}", user=handle).json()
    return user["followers"], user["following"]


def follow(api: Api, path: str, user: str, name: object, parameter: str) -> Any:
    """Follow, or unfollow, on the legacy path."""
    return api.call("POST", path, user=user, params={parameter: name})


def test_first_page_is_html_or_json(anyone: Api) -> None:
    """GET / is 200: a page for a browser, JSON for a program."""
    page = anyone.call("GET", "/", headers={"Accept": "text/html"})
    data = anyone.call("GET", "/", headers={"Accept": "application/json"})
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert (data.status_code, data.headers["Content-Type"]) == (200, "application/json")


def test_register_and_login(anyone: Api) -> None:
    """POST /register is 201 with user and token, POST /login by username or email is 200 with the same."""
    handle = anyone.stranger()
    email, password = f"{handle}@example.org", "a password of mine"
    body = {"username": handle.upper(), "email": email, "password": password}
    registered = anyone.call("POST", "/register", json=body)
    entries = [registered]
    for name in ({"username": handle}, {"email": email}):
        entries.append(anyone.call("POST", "/login", json={**name, "password": password}))
    assert [entry.status_code for entry in entries] == [201, 200, 200]
    for entry in entries:
        assert (entry.json()["user"]["handle"], entry.json()["user"]["email"]) == (handle, email)
        assert password not in entry.text
    tokens = {entry.json()["token"] for entry in entries}
    assert len(tokens) == 3
    for token in tokens:
        me = anyone.call("GET", "/v1/users/me", headers={"Authorization": f"Bearer {token}"})
        assert (me.status_code, me.json()["handle"]) == (200, handle)


@pytest.mark.parametrize("taken", ["username", "email"])
def test_a_name_is_registered_once(anyone: Api, taken: str) -> None:
    """POST /register with a taken username or email is 409, and does not say which of them is taken."""
    handle = anyone.stranger()
    body = {"username": handle, "email": f"{handle}@example.org", "password": "a password of mine"}
    anyone.call("POST", "/register", json=body)
    other = anyone.stranger()
    fresh = {"username": other, "email": f"{other}@example.org", "password": "another one"}
    refused = anyone.call("POST", "/register", json={**fresh, taken: body[taken]})
    assert (refused.status_code, refused.json()["code"]) == (409, "already_taken")
    assert handle not in refused.text


@pytest.mark.parametrize("missing", ["username", "password"])
def test_what_register_and_login_need(anyone: Api, missing: str) -> None:
    """POST /register and /login without a name or a password are 400."""
    body = {"username": anyone.stranger(), "password": "a password of mine"}
    del body[missing]
    for path in ("/register", "/login"):
        assert anyone.call("POST", path, json=body).status_code == 400


def test_wrong_password_and_unknown_user_get_the_same_401(anyone: Api, person: Person) -> None:
    """POST /login with a wrong password or an unknown user is 401, with the same answer."""
    answers = [
        anyone.call("POST", "/login", json={"username": name, "password": "a wrong one"})
        for name in (person.handle, anyone.stranger())
    ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(("method", "path"), WITH_A_TOKEN)
def test_what_wants_a_token(anyone: Api, target: Target, method: str, path: str) -> None:
    """Logout, delete, follow and unfollow without a token are 401, on an open server too."""
    for headers in ({}, {"X-Parley-User": "alice"}, {"Authorization": "Bearer guess"}):
        answer = anyone.call(method, path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer.headers[target.challenge_header].startswith("Bearer")


def test_logout_ends_only_the_token_that_was_sent(anyone: Api, person: Person) -> None:
    """POST /logout is 202 and ends that token; a token of another login still works."""
    body = {"username": person.handle, "password": person.password}
    other = person._replace(token=anyone.call("POST", "/login", json=body).json()["token"])
    left = anyone.call("POST", "/logout", person=person)
    assert (left.status_code, left.content) == (202, b"")
    for method, path in (("POST", "/logout"), ("GET", "/v1/users/me")):
        assert anyone.call(method, path, person=person).status_code == 401
    assert anyone.call("GET", "/v1/users/me", person=other).status_code == 200


def test_delete_removes_account_sessions_follows_and_posts(registered: Api, person: Person) -> None:
    """DELETE /delete is 204: account, session, follows and posts go, messages show "deleted user"."""
    _, friend, _ = registered.new_pair()
    before = counts(registered, friend)
    chat = f"{person.handle}:{friend}"
    for path, body in ((f"/v1/chats/{chat}/messages", {"text": "bye"}), ("/v1/posts", {"text": "a post"})):
        assert registered.call("POST", path, person=person, json=body).status_code == 201
    registered.call("POST", f"/follow?toFollowId={friend}", person=person)
    follow(registered, "/follow", friend, person.handle, "toFollowId")
    gone = registered.call("DELETE", "/delete", person=person)
    assert (gone.status_code, gone.content) == (204, b"")
    assert registered.call("GET", "/v1/users/me", person=person).status_code == 401
    for path in ("", "/posts", "/followers"):
        assert registered.call("GET", f"/v1/users/{person.handle}{path}", user=friend).status_code == 404
    assert counts(registered, friend) == before
    (message,) = registered.pull(chat=chat)["messages"]
    assert (message["sender"], message["text"]) == ("deleted user", "bye")
    assert registered.page(chat, friend)["deleted_users"] == [person.handle]


def test_a_handle_is_given_once(anyone: Api, person: Person) -> None:
    """After DELETE /delete nobody can log in or register by that name."""
    anyone.call("DELETE", "/delete", person=person)
    body = {"username": person.handle, "password": person.password}
    assert anyone.call("POST", "/login", json=body).status_code == 401
    assert anyone.call("POST", "/register", json=body).status_code == 409


def test_follow_and_unfollow(registered: Api) -> None:
    """POST /follow and /unfollow are 200 however often, and count once."""
    _, alice, bob = registered.new_pair()
    follow(registered, "/unfollow", alice, bob, "toUnfollowId")
    ours, theirs = counts(registered, alice)[1], counts(registered, bob)[0]
    for _ in range(2):
        assert follow(registered, "/follow", alice, bob.upper(), "toFollowId").status_code == 200
        assert (counts(registered, alice)[1], counts(registered, bob)[0]) == (ours + 1, theirs + 1)
    for _ in range(2):
        assert follow(registered, "/unfollow", alice, bob, "toUnfollowId").status_code == 200
        assert (counts(registered, alice)[1], counts(registered, bob)[0]) == (ours, theirs)


@pytest.mark.parametrize(("path", "parameter"), [("/follow", "toFollowId"), ("/unfollow", "toUnfollowId")])
def test_only_other_existing_users_can_be_followed(registered: Api, path: str, parameter: str) -> None:
    """Oneself and an empty name are a 400; an unknown user is a 404."""
    _, alice, _ = registered.new_pair()
    assert follow(registered, path, alice, "z" + alice, parameter).status_code == 404
    assert registered.call("POST", path, user=alice).status_code == 400
    if path == "/follow":
        assert follow(registered, path, alice, alice, parameter).status_code == 400


def test_a_follower_reads_what_is_written(registered: Api) -> None:
    """Posts are in the feeds of their author's followers, and in no others."""
    _, alice, bob = registered.new_pair()
    stranger = registered.stranger(alice, bob)
    follow(registered, "/follow", alice, bob, "toFollowId")
    follow(registered, "/unfollow", stranger, bob, "toUnfollowId")
    post = registered.call("POST", "/v1/posts", user=bob, json={"text": "news"}).json()

    def feed(user: str) -> list[Any]:
        return [one["id"] for one in registered.call("GET", "/v1/feed", user=user).json()["posts"]]

    assert eventually(lambda: post["id"] in feed(alice))
    assert post["id"] not in feed(stranger)


def new_room(api: Api, user: str) -> str:
    """Make a room and return its id."""
    room = uuid.uuid4().hex[:12]
    made = api.call("POST", "/ws/createRoom", user=user, json={"id": room, "name": f"Room {room}"})
    assert (made.status_code, made.json()) == (200, {"id": room, "name": f"Room {room}"})
    return room


def test_every_room_path_answers_200(api: Api) -> None:
    """POST /ws/createRoom, GET /ws/joinRoom, /ws/getRooms and /ws/getClients are 200."""
    _, alice, bob = api.new_pair()
    room = new_room(api, alice)
    for _ in range(2):
        joined = api.call("GET", f"/ws/joinRoom/{room}", user=bob)
        assert (joined.status_code, joined.json()["id"], joined.json()["chat"]) == (200, room, f"r-{room}")
    rooms = api.call("GET", "/ws/getRooms", user=bob)
    assert rooms.status_code == 200
    assert {"id": room, "name": f"Room {room}"} in rooms.json()
    for user in (bob, api.stranger(alice, bob)):
        clients = api.call("GET", f"/ws/getClients/{room}", user=user)
        assert clients.status_code == 200
        assert sorted(one["username"] for one in clients.json()) == sorted((alice, bob))
    assert api.post(f"r-{room}", bob, text="hello").status_code == 201
    assert [one["text"] for one in api.page(f"r-{room}", alice)["messages"]][-2:] == [
        f"{bob} joined.",
        "hello",
    ]


@pytest.mark.parametrize("room", ["", "a b", "a:b", "-a", "a" * 65, "\u00e9"])
def test_what_a_room_may_be_called(api: Api, room: str) -> None:
    """POST /ws/createRoom with an invalid room id is a 400."""
    _, alice, _ = api.new_pair()
    refused = api.call("POST", "/ws/createRoom", user=alice, json={"id": room, "name": "x"})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize(("method", "path"), IN_ROOMS)
def test_room_paths_need_authentication(anyone: Api, target: Target, method: str, path: str) -> None:
    """The room paths without a token, or without a name on an open server, are 401."""
    for headers in ({}, {"Authorization": "Bearer guess"}):
        body = {"json": {"id": "lobby", "name": "Lobby"}} if method == "POST" else {}
        answer = anyone.call(method, path, headers=headers, **body)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer.headers[target.challenge_header].startswith("Bearer")
