"""Chats over HTTP: making, opening, changing and ending them."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.deployed.client import Api, fields_at_fault
from tests.deployed.people import People
from tests.http.chat_requests import MOST, crowd, do, done, make, read, refused, send, texts_of

LATER = "2100-01-01T00:00:00.000000Z"
GROUP = re.compile(r"g-[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def url(small_chats_url: str) -> str:
    """The base URL of a closed server on which a chat has few members."""
    return small_chats_url


def test_a_group_is_made(api: Api, people: People) -> None:
    """A new group is returned as its maker sees it; its members have it, strangers do not."""
    ann, bob, cid = crowd(people, 3)
    body = {
        "kind": "group",
        "name": " Tea ",
        "notice": "At six.\nAlways.",
        "avatar": "a1",
        "members": [bob.handle],
    }
    answer = api.call("POST", "/v1/chats", person=ann, json=body)

    chat = answer.json()
    assert answer.status_code == 201
    assert GROUP.fullmatch(chat["chat"])
    assert answer.headers["Location"].endswith(f"/v1/chats/{chat['chat']}")
    shown = {
        name: chat[name] for name in ("kind", "state", "role", "name", "notice", "avatar", "join", "history")
    }
    assert shown == {
        "kind": "group",
        "state": "member",
        "role": "owner",
        "name": "Tea",
        "notice": "At six.\nAlways.",
        "avatar": "a1",
        "join": "invite",
        "history": False,
    }
    assert (chat["members"], chat["maker"], chat["seq"], chat["unread"]) == (2, ann.handle, 1, 0)
    assert chat["last"]["text"] == f"{ann.handle} made this chat."
    assert chat["last"]["event"] == {"type": "created", "users": [bob.handle], "name": "Tea"}
    assert read(api, ann, chat["chat"]) == chat
    assert read(api, bob, chat["chat"]) == {**chat, "role": "member", "requests": None}
    assert read(api, bob, chat["chat"].upper())["chat"] == chat["chat"]
    refused(do(api, cid, "GET", chat["chat"]), 403, "not_a_member")


def test_a_group_with_an_id_is_made_once(api: Api, people: People) -> None:
    """The same id by the same maker returns the existing group; by another user it is taken."""
    ann, bob = crowd(people, 2)
    body = {"kind": "group", "name": "one", "id": str(uuid.uuid4())}

    first = api.call("POST", "/v1/chats", person=ann, json=body)
    again = api.call("POST", "/v1/chats", person=ann, json={**body, "name": "two"})

    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert first.json()["chat"] == f"g-{body['id']}"
    refused(api.call("POST", "/v1/chats", person=bob, json=body), 409, "already_taken")
    done(do(api, ann, "DELETE", first.json()["chat"]))
    refused(api.call("POST", "/v1/chats", person=ann, json=body), 409, "already_taken")


def test_a_direct_chat_is_opened(api: Api, people: People) -> None:
    """Opening a direct chat puts it in the user's own inbox, and finds an existing one."""
    ann, bob = crowd(people, 2)
    chat = ":".join(sorted((ann.handle, bob.handle)))
    body = {"kind": "direct", "with": bob.handle.upper()}

    answers = [api.call("POST", "/v1/chats", person=ann, json=body) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    opened = answers[1].json()
    assert (opened["chat"], opened["kind"], opened["state"], opened["seq"]) == (chat, "direct", "member", 0)
    assert [opened[name] for name in ("name", "role", "members", "join", "maker")] == [None] * 5
    inboxes = [api.call("GET", "/v1/chats", person=one).json()["chats"] for one in (ann, bob)]
    assert [[row["chat"] for row in rows] for rows in inboxes] == [[chat], []]
    notes = api.call("POST", "/v1/chats", person=ann, json={"kind": "direct", "with": ann.handle})
    assert (notes.status_code, notes.json()["chat"]) == (201, f"{ann.handle}:{ann.handle}")


def test_a_direct_chat_that_is_left(api: Api, people: People) -> None:
    """Leaving or deleting a direct chat hides it and its messages from that user, also once it is back."""
    ann, bob = crowd(people, 2)
    chat = f"{ann.handle}:{bob.handle}"
    for method, path in (("POST", f"{chat}/leave"), ("DELETE", chat)):
        send(api, ann, chat, "secret")
        for _ in range(2):
            done(do(api, bob, method, path))
        assert read(api, bob, chat)["state"] == "left"
        assert texts_of(api, bob, chat) == []
        assert texts_of(api, ann, chat)[-1] == "secret"
        send(api, ann, chat, "back")
        assert read(api, bob, chat)["state"] == "member"
        assert texts_of(api, bob, chat) == ["back"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "club", "name": "x"}, "kind"),
        ({"kind": "direct"}, "with"),
        ({"kind": "direct", "with": "a:b"}, "with"),
        ({"kind": "direct", "with": "bob", "name": "x"}, "name"),
        ({"kind": "group"}, "name"),
        ({"kind": "group", "name": "  "}, "name"),
        ({"kind": "group", "name": "x" * 65}, "name"),
        ({"kind": "group", "name": "x\n"}, "name"),
        ({"kind": "group", "name": "x", "with": "bob"}, "with"),
        ({"kind": "group", "name": "x", "id": "not-a-uuid"}, "id"),
        ({"kind": "group", "name": "x", "notice": "\u00e9" * 1025}, "notice"),
        ({"kind": "group", "name": "x", "notice": "\0"}, "notice"),
        ({"kind": "group", "name": "x", "avatar": "a/b"}, "avatar"),
        ({"kind": "group", "name": "x", "join": "never"}, "join"),
        ({"kind": "group", "name": "x", "history": 1}, "history"),
        ({"kind": "group", "name": "x", "members": ["me"]}, "members[0]"),
        ({"kind": "group", "name": "x", "members": ["bob", 5]}, "members[1]"),
        ({"kind": "group", "name": "x", "members": [f"u{i}" for i in range(MOST)]}, "members"),
        ({"kind": "room", "name": "x"}, "id"),
        ({"kind": "room", "id": "a:b", "name": "x"}, "id"),
        ({"kind": "room", "id": "abc"}, "name"),
        ({"kind": "room", "id": "abc", "name": "x", "join": "invite"}, "join"),
    ],
)
def test_a_refused_chat_names_the_field(api: Api, people: People, body: dict[str, Any], field: str) -> None:
    """An invalid chat is a 400 that names the field."""
    answer = api.call("POST", "/v1/chats", person=people.someone(), json=body)
    assert (answer.status_code, fields_at_fault(answer)) == (400, [field]), answer.text


def test_admin_changes_group_info_and_members_see_it(api: Api, people: People) -> None:
    """An admin changes a group's info; members see it and the change; equal values are no change."""
    ann, bob, cid = crowd(people, 3)
    chat = make(api, ann, [bob, cid], notice="old", avatar="a1")
    done(do(api, ann, "PATCH", f"{chat}/members/{bob.handle}", json={"role": "admin"}))
    changes = {"name": "New", "notice": None, "join": "open", "history": True}

    for _ in range(2):
        changed = do(api, bob, "PATCH", chat, json=changes).json()
        assert {name: changed[name] for name in (*changes, "avatar")} == {
            **changes,
            "notice": "",
            "avatar": "a1",
        }
        assert changed["seq"] == 3
    assert read(api, cid, chat)["last"]["event"] == {
        "type": "changed",
        "name": "New",
        "notice": "",
        "join": "open",
        "history": True,
    }
    refused(do(api, cid, "PATCH", chat, json={"name": "Mine"}), 403, "forbidden")
    refused(do(api, people.new(), "PATCH", chat, json={"name": "Mine"}), 403, "not_a_member")
    for wrong, field in (({"name": None}, "name"), ({"join": None}, "join"), ({"notice": "\t"}, "notice")):
        answer = do(api, bob, "PATCH", chat, json=wrong)
        assert (answer.status_code, fields_at_fault(answer)) == (400, [field])


@pytest.mark.parametrize("deleted", [False, True])
def test_a_chat_that_is_not_there(api: Api, people: People, deleted: bool) -> None:
    """Every path of an unknown or deleted group is a 404, for former members too."""
    ann, bob = crowd(people, 2)
    chat = f"g-{uuid.uuid4()}"
    if deleted:
        chat = make(api, ann, [bob], join="open")
        done(do(api, ann, "DELETE", chat))
    calls: list[tuple[str, str, Any]] = [
        ("GET", "", None),
        ("PATCH", "", {"name": "x"}),
        ("DELETE", "", None),
        ("POST", "/join", None),
        ("POST", "/leave", None),
        ("POST", "/owner", {"handle": bob.handle}),
        ("GET", "/messages", None),
        ("POST", "/messages", {"text": "x"}),
        ("GET", "/members", None),
        ("PATCH", f"/members/{bob.handle}", {"role": "admin"}),
        *(("GET", f"/{name}", None) for name in ("invitations", "requests", "banned")),
        *(
            ("DELETE", f"/{name}/{bob.handle}", None)
            for name in ("members", "invitations", "requests", "banned")
        ),
        *(("PUT", f"/{name}/{bob.handle}", None) for name in ("members", "invitations", "banned")),
    ]
    for method, path, body in calls:
        for person in (ann, bob):
            refused(do(api, person, method, chat + path, json=body), 404, "chat_not_found")


def test_what_is_not_for_a_pair(api: Api, people: People) -> None:
    """The members of a direct chat cannot be changed, and others cannot read it."""
    ann, bob, cid = crowd(people, 3)
    chat = f"{ann.handle}:{bob.handle}"
    for method, path, body in (
        ("PATCH", "", {"name": "x"}),
        ("POST", "/join", None),
        ("GET", "/members", None),
        ("PUT", f"/members/{cid.handle}", None),
        ("POST", "/owner", {"handle": bob.handle}),
    ):
        refused(do(api, ann, method, chat + path, json=body), 400, "bad_request")
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/leave")):
        refused(do(api, cid, method, chat + path), 403, "not_a_member")


class TestNames:
    """An open server, where names without accounts may do all of it."""

    @pytest.fixture
    def open_api(self, open_url: str) -> Iterator[Api]:
        """A client of an open server."""
        client = Api(open_url)
        yield client
        client.close()

    def test_as_many_as_a_chat_has(self, open_api: Api) -> None:
        """A group takes names up to the maximum number of members; one more is refused."""
        maker = f"Zo\u00eb {uuid.uuid4().hex[:8]}"
        user = maker.encode().decode("latin-1").encode("latin-1")
        header = {"X-Parley-User": "".join(f"%{byte:02X}" for byte in user)}
        body = {"kind": "group", "name": "all", "members": [f"name {number}" for number in range(999)]}
        answer = open_api.call("POST", "/v1/chats", headers=header, json=body)
        assert (answer.status_code, answer.json()["members"]) == (201, 1000)
        assert answer.json()["maker"] == maker.casefold()
        more = {**body, "members": [*body["members"], "one more"]}
        refused = open_api.call("POST", "/v1/chats", headers=header, json=more)
        assert (refused.status_code, fields_at_fault(refused)) == (400, ["members"])

    def test_a_name_runs_a_group(self, open_api: Api) -> None:
        """Names invite, mute, appoint owners and leave."""
        ann, bob = f"ann {uuid.uuid4().hex[:8]}", f"bob {uuid.uuid4().hex[:8]}"

        def act(user: str, method: str, path: str, **options: Any) -> Any:
            answer = open_api.call(method, f"/v1/chats{path}", user=user, **options)
            assert answer.status_code < 300, answer.text
            return answer.json() if answer.content else None

        chat = act(ann, "POST", "", json={"kind": "group", "name": "x"})["chat"]
        act(ann, "PUT", f"/{chat}/invitations/{bob}")
        assert act(bob, "POST", f"/{chat}/join")["state"] == "member"
        act(ann, "PATCH", f"/{chat}/members/{bob}", json={"muted_until": LATER})
        act(ann, "POST", f"/{chat}/owner", json={"handle": bob})
        act(ann, "POST", f"/{chat}/leave")
        members = act(bob, "GET", f"/{chat}/members")["members"]
        assert [(one["handle"], one["role"], one["muted_until"]) for one in members] == [(bob, "owner", None)]
