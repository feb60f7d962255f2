"""The people of groups and rooms over HTTP: their permissions, and the messages of changes."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.deployed.client import Api, fields_at_fault
from tests.deployed.people import People
from tests.http.chat_requests import crowd, do, done, make, read, refused, roles_of, send, texts_of
from tests.servers.waiting import eventually

LATER = "2100-01-01T00:00:00.000000Z"


@pytest.fixture(scope="module")
def url(small_chats_url: str) -> str:
    """The base URL of a closed server on which a chat has few members."""
    return small_chats_url


def test_users_who_cannot_be_added_are_named(api: Api, people: People) -> None:
    """Missing users, and those who block the caller, are named in the error; nothing is created."""
    ann, bob, cid = crowd(people, 3)
    done(api.call("PUT", f"/v1/users/me/blocked/{ann.handle}", person=bob))
    body = {"kind": "group", "name": "x", "id": str(uuid.uuid4())}

    for members, status, code, fields in (
        ([cid.handle, "nobody-1", "nobody-2"], 404, "user_not_found", ["members[1]", "members[2]"]),
        ([cid.handle, bob.handle], 403, "blocked", ["members[1]"]),
    ):
        answer = api.call("POST", "/v1/chats", person=ann, json={**body, "members": members})
        refused(answer, status, code)
        assert fields_at_fault(answer) == fields
    refused(do(api, ann, "GET", f"g-{body['id']}"), 404, "chat_not_found")
    opening = {"kind": "direct", "with": bob.handle}
    refused(api.call("POST", "/v1/chats", person=ann, json=opening), 403, "blocked")
    chat = make(api, ann)
    for path in ("members", "invitations"):
        refused(do(api, ann, "PUT", f"{chat}/{path}/{bob.handle}"), 403, "blocked")
        refused(do(api, ann, "PUT", f"{chat}/{path}/nobody-1"), 404, "user_not_found")
    refused(do(api, ann, "PUT", f"{chat}/banned/nobody-1"), 404, "user_not_found")
    done(do(api, ann, "PATCH", chat, json={"join": "request"}), 200)
    assert do(api, bob, "POST", f"{chat}/join").json()["state"] == "requested"
    done(do(api, ann, "PUT", f"{chat}/members/{bob.handle}"))


def test_invite_only_group_admits_invited_users_alone(api: Api, people: People) -> None:
    """Only invited users join an invite-only group; invitations are listed, declined and withdrawn."""
    ann, bob, cid = crowd(people, 3)
    chat = make(api, ann)
    invitation = f"{chat}/invitations/{bob.handle}"
    refused(do(api, bob, "POST", f"{chat}/join"), 403, "forbidden")

    for ender in (ann, bob):
        for _ in range(2):
            done(do(api, ann, "PUT", invitation))
        (listed,) = read(api, ann, f"{chat}/invitations")["users"]
        assert listed["handle"] == bob.handle
        seen = read(api, bob, chat)
        assert (seen["state"], seen["name"], seen["last"], seen["seq"]) == ("invited", "a group", None, 0)
        refused(do(api, bob, "GET", f"{chat}/messages"), 403, "not_a_member")
        refused(do(api, bob, "GET", f"{chat}/members"), 403, "not_a_member")
        refused(do(api, cid, "DELETE", invitation), 403, "not_a_member")
        for _ in range(2):
            done(do(api, ender, "DELETE", invitation))
        assert read(api, ann, f"{chat}/invitations")["users"] == []
        refused(do(api, bob, "GET", chat), 403, "not_a_member")

    done(do(api, ann, "PUT", f"{chat}/invitations/{cid.handle}"))
    for _ in range(2):
        assert do(api, cid, "POST", f"{chat}/join").json() == {"chat": chat, "state": "member"}
    assert roles_of(api, cid, chat) == {ann.handle: "owner", cid.handle: "member"}
    refused(do(api, cid, "PUT", f"{chat}/invitations/{bob.handle}"), 403, "forbidden")


def test_group_with_requests_waits_for_an_admin(api: Api, people: People) -> None:
    """In a group that takes requests an admin admits or refuses; a refused user can't ask again."""
    ann, bob = crowd(people, 2)
    chat = make(api, ann, join="request")

    for ender in (ann, bob):
        for _ in range(2):
            assert do(api, bob, "POST", f"{chat}/join").json() == {"chat": chat, "state": "requested"}
        (listed,) = read(api, ann, f"{chat}/requests")["users"]
        assert listed["handle"] == bob.handle
        assert read(api, bob, chat)["state"] == "requested"
        for path in ("messages", "members", "requests"):
            refused(do(api, bob, "GET", f"{chat}/{path}"), 403, "not_a_member")
        for _ in range(2):
            done(do(api, ender, "DELETE", f"{chat}/requests/{bob.handle}"))
        assert read(api, ann, f"{chat}/requests")["users"] == []
        assert read(api, bob, chat)["state"] == "none"

    do(api, bob, "POST", f"{chat}/join")
    done(do(api, ann, "PUT", f"{chat}/members/{bob.handle}"))
    assert roles_of(api, bob, chat)[bob.handle] == "member"


def test_banned_user_cannot_read_or_return_until_unbanned(api: Api, people: People) -> None:
    """A banned user is removed, can't read, and can't return by any way until the ban is lifted."""
    ann, bob, cid = crowd(people, 3)
    chat = make(api, ann, [bob], join="open")
    banned = f"{chat}/banned/{bob.handle}"
    for _ in range(2):
        done(do(api, ann, "PUT", banned))

    for method, path in (("GET", ""), ("POST", "/join"), ("POST", "/leave"), ("GET", "/members")):
        refused(do(api, bob, method, chat + path), 403, "banned")
    assert do(api, bob, "GET", f"{chat}/messages").status_code == 403
    assert send(api, bob, chat, "hi").status_code == 403
    for path in ("members", "invitations"):
        refused(do(api, ann, "PUT", f"{chat}/{path}/{bob.handle}"), 403, "banned")
    assert [one["handle"] for one in read(api, ann, f"{chat}/banned")["users"]] == [bob.handle]
    refused(do(api, cid, "GET", f"{chat}/banned"), 403, "not_a_member")
    done(do(api, ann, "PUT", f"{chat}/banned/{cid.handle}"))
    refused(do(api, cid, "POST", f"{chat}/join"), 403, "banned")
    for _ in range(2):
        done(do(api, ann, "DELETE", banned))
    done(do(api, bob, "POST", f"{chat}/join"), 200)


def test_muted_member_reads_but_cannot_write(api: Api, people: People) -> None:
    """A muted member reads but can't write, sees when the mute ends, and writes again after that."""
    ann, bob = crowd(people, 2)
    chat = make(api, ann, [bob])
    path = f"{chat}/members/{bob.handle}"
    done(do(api, ann, "PATCH", path, json={"muted_until": LATER}))

    answer = send(api, bob, chat, "hi")
    refused(answer, 403, "muted")
    assert LATER[:19] in answer.json()["detail"]
    assert read(api, bob, chat)["muted_until"] == LATER
    assert texts_of(api, bob, chat)[-1] == f"{ann.handle} muted {bob.handle} until {LATER}."
    listed = {one["handle"]: one["muted_until"] for one in read(api, bob, f"{chat}/members")["members"]}
    assert listed == {ann.handle: None, bob.handle: LATER}
    refused(do(api, bob, "PATCH", path, json={"muted_until": None}), 403, "forbidden")
    for _ in range(2):
        done(do(api, ann, "PATCH", path, json={"muted_until": None}))
    assert texts_of(api, bob, chat)[-1] == f"{ann.handle} lets {bob.handle} write again."
    done(send(api, bob, chat, "hi"), 201)
    done(do(api, ann, "PATCH", path, json={"muted_until": "1999-01-01T00:00:00Z"}))
    done(send(api, bob, chat, "hi"), 201)
    for body in ({}, {"role": "admin", "muted_until": None}, {"muted_until": "soon"}, {"role": "king"}):
        assert do(api, ann, "PATCH", path, json=body).status_code == 400
    answer = do(api, ann, "PATCH", path, json={"muted_until": "2200-01-01T00:00:00Z"})
    assert (answer.status_code, fields_at_fault(answer)) == (400, ["muted_until"])


def test_owners_and_admins_change_the_roles_below_theirs(api: Api, people: People) -> None:
    """Owners appoint admins and owners; admins manage members alone; an owner can hand over the chat."""
    ann, bob, cid = crowd(people, 3)
    chat = make(api, ann, [bob, cid])
    done(do(api, ann, "PATCH", f"{chat}/members/{bob.handle}", json={"role": "admin"}))

    refused(do(api, bob, "PATCH", f"{chat}/members/{cid.handle}", json={"role": "admin"}), 403, "forbidden")
    refused(do(api, bob, "DELETE", f"{chat}/members/{ann.handle}"), 403, "forbidden")
    refused(do(api, bob, "DELETE", chat), 403, "forbidden")
    refused(do(api, bob, "POST", f"{chat}/owner", json={"handle": cid.handle}), 403, "forbidden")
    refused(do(api, ann, "POST", f"{chat}/owner", json={"handle": "nobody-1"}), 404, "user_not_found")
    refused(do(api, ann, "POST", f"{chat}/owner", json={"handle": ann.handle}), 400, "bad_request")
    refused(do(api, ann, "POST", f"{chat}/leave"), 409, "last_owner")
    refused(do(api, ann, "DELETE", f"{chat}/members/{ann.handle}"), 409, "last_owner")

    done(do(api, ann, "POST", f"{chat}/owner", json={"handle": bob.handle}))
    assert roles_of(api, cid, chat) == {ann.handle: "admin", bob.handle: "owner", cid.handle: "member"}
    for _ in range(2):
        done(do(api, ann, "DELETE", f"{chat}/members/{cid.handle}"))
    for _ in range(2):
        done(do(api, ann, "POST", f"{chat}/leave"))
    assert roles_of(api, bob, chat) == {bob.handle: "owner"}


def test_what_happens_is_in_the_log(api: Api, people: People) -> None:
    """Every change of the members is a system message by its actor, and counts as unread for nobody."""
    ann, bob, cid, dan = crowd(people, 4)
    chat = make(api, ann, [bob], join="open", history=True)
    for person, method, path in (
        (ann, "PUT", f"members/{cid.handle}"),
        (cid, "POST", "leave"),
        (cid, "POST", "join"),
        (ann, "DELETE", f"members/{cid.handle}"),
        (ann, "PUT", f"invitations/{dan.handle}"),
        (dan, "POST", "join"),
        (ann, "PUT", f"banned/{dan.handle}"),
        (ann, "DELETE", f"banned/{dan.handle}"),
    ):
        assert do(api, person, method, f"{chat}/{path}").status_code < 300

    messages = read(api, bob, f"{chat}/messages")["messages"]
    assert {message["kind"] for message in messages} == {"system"}
    found = [(one["sender"], one["event"]["type"], *one["event"].get("users", [])) for one in messages]
    assert found == [
        (ann.handle, "created", bob.handle),
        (ann.handle, "added", cid.handle),
        (cid.handle, "left"),
        (cid.handle, "joined"),
        (ann.handle, "removed", cid.handle),
        (dan.handle, "joined"),
        (ann.handle, "banned", dan.handle),
    ]
    assert messages[1]["text"] == f"{ann.handle} added {cid.handle}."
    assert read(api, bob, chat)["unread"] == 0


def test_what_members_read(api: Api, people: People) -> None:
    """Members read from their join, or all where the group shows history, and nothing new after leaving."""
    ann, bob = crowd(people, 2)
    for history in (False, True):
        chat = make(api, ann, history=history)
        send(api, ann, chat, "before")
        done(do(api, ann, "PUT", f"{chat}/members/{bob.handle}"))
        send(api, ann, chat, "during")
        done(do(api, bob, "POST", f"{chat}/leave"))
        send(api, ann, chat, "after")

        texts = texts_of(api, bob, chat)
        assert ("before" in texts) == history
        assert ("during" in texts, "after" in texts) == (True, False)
        assert read(api, bob, chat)["state"] == "left"
        refused(send(api, bob, chat, "hi"), 403, "not_a_member")


def test_lists_come_in_pages(api: Api, people: People) -> None:
    """Members are listed by handle, in pages without gap or duplicate, with their names."""
    ann, *others = [people.new(name="Ann"), *crowd(people, 6)]
    chat = make(api, ann, others)
    found: list[Any] = []
    cursor: dict[str, str] = {}
    while True:
        page = read(api, ann, f"{chat}/members", limit=3, **cursor)
        found += page["members"]
        if page["next"] is None:
            break
        cursor = {"cursor": page["next"]}

    assert [one["handle"] for one in found] == sorted(one.handle for one in (ann, *others))
    assert {one["name"] for one in found} == {"Ann", ""}
    for query in ({"limit": 0}, {"limit": 1001}, {"limit": "x"}):
        refused(do(api, ann, "GET", f"{chat}/members", params=query), 400, "bad_request")


def test_a_deleted_user_leaves_every_chat(api: Api, people: People) -> None:
    """A user who deletes their account leaves their groups; the highest member replaces an owner."""
    ann, bob, cid = crowd(people, 3)
    owned = make(api, ann, [bob, cid], join="open")
    done(do(api, ann, "PATCH", f"{owned}/members/{cid.handle}", json={"role": "admin"}))
    joined, alone = make(api, bob, [ann]), make(api, ann, join="open")
    done(api.call("DELETE", "/v1/users/me", person=ann))

    assert eventually(lambda: roles_of(api, bob, owned) == {bob.handle: "member", cid.handle: "owner"})
    assert eventually(lambda: roles_of(api, bob, joined) == {bob.handle: "owner"})
    assert eventually(lambda: do(api, bob, "GET", alone).status_code == 404)
    assert (
        texts_of(api, bob, owned)[-1] == f"{ann.handle} deleted their account. {cid.handle} is an owner now."
    )
    assert texts_of(api, bob, joined)[-1] == f"{ann.handle} deleted their account."
    refused(do(api, bob, "PUT", f"{joined}/members/{ann.handle}"), 404, "user_not_found")
