"""Groups and rooms under /v1, from invitation to unread count, as every target has them."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.deployed.client import Api, fields_at_fault
from tests.deployed.target import Target


def make(api: Api, maker: str, *members: str, **fields: Any) -> str:
    """Make a group and return its id."""
    body = {"kind": "group", "name": "Tea", "members": list(members), **fields}
    answer = api.call("POST", "/v1/chats", user=maker, json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["chat"])


def row(api: Api, user: str, chat: str) -> Any:
    """Return a chat as a user sees it."""
    answer = api.call("GET", f"/v1/chats/{chat}", user=user)
    assert answer.status_code == 200, answer.text
    return answer.json()


def inbox(api: Api, user: str) -> list[str]:
    """Return the chats on the first page of a user's inbox."""
    return [one["chat"] for one in api.call("GET", "/v1/chats", user=user).json()["chats"]]


def test_new_group_is_in_its_members_inboxes(api: Api, target: Target) -> None:
    """A group is created with a location, is in its members' inboxes, and counts what is unread."""
    _, alice, bob = api.new_pair()
    body = {"kind": "group", "name": "Tea", "members": [bob.upper()]}
    answer = api.call("POST", "/v1/chats", user=alice, json=body)
    chat = answer.json()["chat"]
    assert (answer.status_code, answer.json()["role"]) == (201, "owner")
    if not target.differs("location-lacks-the-urls-prefix"):
        assert urljoin(api.origin, answer.headers["Location"]) == f"{api.url}/v1/chats/{chat}"
    assert inbox(api, alice)[0] == inbox(api, bob)[0] == chat

    sent = api.post(chat, alice, text="One lump?", id="m-1")
    assert (sent.status_code, sent.json()["seq"]) == (201, 2)
    assert api.post(chat, alice, text="One lump?", id="m-1").json()["duplicate"]
    assert [(row(api, one, chat)["unread"], row(api, one, chat)["seq"]) for one in (alice, bob)] == [
        (0, 2),
        (1, 2),
    ]
    assert api.call("PUT", f"/v1/chats/{chat}/read", user=bob, json={"seq": 2}).status_code == 204
    assert row(api, bob, chat)["unread"] == 0
    page = api.page(chat, bob)
    assert [(one["kind"], one["text"]) for one in page["messages"]] == [
        ("system", f"{alice} made this chat."),
        ("text", "One lump?"),
    ]


def test_repeated_creation_with_an_id_makes_one_group(api: Api) -> None:
    """A creation without an answer is repeated with the same id, and makes one group."""
    _, alice, bob = api.new_pair()
    body = {"kind": "group", "name": "Tea", "id": str(uuid.uuid4())}
    answers = [api.call("POST", "/v1/chats", user=alice, json=body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json() == answers[1].json()
    taken = api.call("POST", "/v1/chats", user=bob, json=body)
    assert (taken.status_code, taken.json()["code"]) == (409, "already_taken")


def test_invited_joined_left(api: Api) -> None:
    """An invited user joins, reads from there on, leaves, and then neither reads new messages nor writes."""
    _, alice, bob = api.new_pair()
    chat = make(api, alice)
    api.post(chat, alice, text="before")
    assert api.call("POST", f"/v1/chats/{chat}/join", user=bob).status_code == 403
    assert api.call("PUT", f"/v1/chats/{chat}/invitations/{bob}", user=alice).status_code == 204
    assert row(api, bob, chat)["state"] == "invited"
    joined = api.call("POST", f"/v1/chats/{chat}/join", user=bob)
    assert (joined.status_code, joined.json()["state"]) == (200, "member")
    api.post(chat, alice, text="during")
    assert api.call("POST", f"/v1/chats/{chat}/leave", user=bob).status_code == 204
    api.post(chat, alice, text="after")

    texts = [one["text"] for one in api.page(chat, bob)["messages"]]
    assert texts == [f"{bob} joined.", "during", f"{bob} left."]
    refused = api.post(chat, bob, text="hi")
    assert (refused.status_code, refused.json()["code"]) == (403, "not_a_member")
    assert chat not in inbox(api, bob)


def test_asked_and_let_in(api: Api) -> None:
    """A request to join is listed for the admins, who accept it."""
    _, alice, bob = api.new_pair()
    chat = make(api, alice, join="request")
    assert api.call("POST", f"/v1/chats/{chat}/join", user=bob).json()["state"] == "requested"
    listed = api.call("GET", f"/v1/chats/{chat}/requests", user=alice).json()["users"]
    assert [one["handle"] for one in listed] == [bob]
    assert api.call("PUT", f"/v1/chats/{chat}/members/{bob}", user=alice).status_code == 204
    members = api.call("GET", f"/v1/chats/{chat}/members", user=bob).json()["members"]
    assert {one["handle"]: one["role"] for one in members} == {alice: "owner", bob: "member"}


def test_muted_and_banned(api: Api) -> None:
    """A muted member cannot write, a banned one cannot read; both can be undone."""
    _, alice, bob = api.new_pair()
    chat = make(api, alice, bob, join="open")
    path, until = f"/v1/chats/{chat}/members/{bob}", "2100-01-01T00:00:00Z"
    assert api.call("PATCH", path, user=alice, json={"muted_until": until}).status_code == 204
    assert api.post(chat, bob, text="hi").json()["code"] == "muted"
    assert api.call("PATCH", path, user=alice, json={"muted_until": None}).status_code == 204
    assert api.post(chat, bob, text="hi").status_code == 201

    banned = f"/v1/chats/{chat}/banned/{bob}"
    assert api.call("PUT", banned, user=alice).status_code == 204
    for method, name in (("GET", "/messages"), ("GET", ""), ("POST", "/join")):
        assert api.call(method, f"/v1/chats/{chat}{name}", user=bob).status_code == 403
    assert api.call("DELETE", banned, user=alice).status_code == 204
    assert api.call("POST", f"/v1/chats/{chat}/join", user=bob).status_code == 200


def test_handed_over_and_deleted(api: Api) -> None:
    """The last owner cannot just leave; the chat is handed over, and the new owner ends it."""
    _, alice, bob = api.new_pair()
    chat = make(api, alice, bob)
    stuck = api.call("POST", f"/v1/chats/{chat}/leave", user=alice)
    assert (stuck.status_code, stuck.json()["code"]) == (409, "last_owner")
    assert api.call("POST", f"/v1/chats/{chat}/owner", user=alice, json={"handle": bob}).status_code == 204
    assert (row(api, alice, chat)["role"], row(api, bob, chat)["role"]) == ("admin", "owner")
    assert api.call("DELETE", f"/v1/chats/{chat}", user=alice).status_code == 403
    assert api.call("DELETE", f"/v1/chats/{chat}", user=bob).status_code == 204
    for user in (alice, bob):
        assert api.call("GET", f"/v1/chats/{chat}/messages", user=user).status_code == 404
        assert chat not in inbox(api, user)


def test_changed_group_info_is_the_same_for_everybody(api: Api) -> None:
    """A group's info changes for everybody; an invalid change is a 400 that names the field."""
    _, alice, bob = api.new_pair()
    chat = make(api, alice, bob)
    changes = {"name": "Zo\u00eb's \U0001f600", "notice": "Bring a flamingo.", "join": "open"}
    assert api.call("PATCH", f"/v1/chats/{chat}", user=alice, json=changes).status_code == 200
    seen = row(api, bob, chat)
    assert {name: seen[name] for name in changes} == changes
    for body, field in (({"name": ""}, "name"), ({"join": "never"}, "join"), ({"avatar": "/"}, "avatar")):
        answer = api.call("PATCH", f"/v1/chats/{chat}", user=alice, json=body)
        assert (answer.status_code, fields_at_fault(answer)) == (400, [field])


def test_room_is_open_and_its_id_unique_in_any_case(api: Api) -> None:
    """Anybody can join a room; its id, in any case, can be taken only once."""
    _, alice, bob = api.new_pair()
    name = f"Room.{uuid.uuid4().hex[:12]}"
    body = {"kind": "room", "id": name, "name": "Lobby"}
    made = api.call("POST", "/v1/chats", user=alice, json=body)
    chat = f"r-{name.lower()}"
    assert (made.status_code, made.json()["chat"], made.json()["join"]) == (201, chat, "open")
    assert api.call("POST", "/v1/chats", user=alice, json={**body, "id": name.upper()}).status_code == 409
    assert row(api, bob, chat)["state"] == "none"
    assert api.call("POST", f"/v1/chats/r-{name}/join", user=bob).json() == {"chat": chat, "state": "member"}
    assert api.post(chat, bob, text="hi").status_code == 201


def test_a_direct_chat_is_put_away(api: Api) -> None:
    """Leaving a direct chat hides earlier messages for the leaver only, also once there are more."""
    chat, alice, bob = api.new_pair()
    assert api.call("POST", "/v1/chats", user=alice, json={"kind": "direct", "with": bob}).status_code == 201
    assert chat in inbox(api, alice)
    api.post(chat, alice, text="old")
    assert api.call("POST", f"/v1/chats/{chat}/leave", user=bob).status_code == 204
    assert chat not in inbox(api, bob)
    api.post(chat, alice, text="new")
    assert chat in inbox(api, bob)
    assert [one["text"] for one in api.page(chat, bob)["messages"]] == ["new"]
    assert [one["text"] for one in api.page(chat, alice)["messages"]] == ["old", "new"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("POST", "/join"),
        ("POST", "/leave"),
        ("GET", "/members"),
        ("PUT", "/members/bob"),
        ("DELETE", "/members/bob"),
        ("GET", "/requests"),
        ("DELETE", "/banned/bob"),
    ],
)
def test_nobody_is_nobodys_member(named: Api, target: Target, method: str, path: str) -> None:
    """Without a token or a name every path of a group is a 401, whether or not it exists."""
    for user in (None, ""):
        answer = named.call(method, f"/v1/chats/g-{uuid.uuid4()}{path}", user=user)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
        assert answer.headers[target.challenge_header]
