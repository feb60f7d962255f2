"""Finding groups and rooms: GET /v1/groups and GET /v1/rooms."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.deployed.client import Api

FIELDS = {"chat", "kind", "name", "notice", "avatar", "join", "members", "made_at"}


def word() -> str:
    """Return an unused word."""
    return f"w{uuid.uuid4().hex[:12]}"


def make(api: Api, user: str, **fields: Any) -> str:
    """Make a group or room, and return its id."""
    answer = api.call("POST", "/v1/chats", user=user, json=fields)
    assert answer.status_code == 201, answer.text
    chat: str = answer.json()["chat"]
    return chat


def found(api: Api, user: str, path: str = "/v1/groups", **query: Any) -> list[dict[str, Any]]:
    """Return the results of a search, or the list of rooms, on all pages."""
    chats: list[dict[str, Any]] = []
    while True:
        answer = api.call("GET", path, user=user, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert len(page["chats"]) <= query["limit"]
        assert all(chat.keys() == FIELDS for chat in page["chats"])
        chats += page["chats"]
        if page["next"] is None:
            return chats
        query["cursor"] = page["next"]


def test_groups_are_found_by_how_words_begin(api: Api) -> None:
    """Any stranger finds groups that users can join or ask to, page by page; others are not found."""
    _, alice, stranger = api.new_pair()
    sought = word()
    made = [
        make(api, alice, kind="group", name=f"{first} {sought}{first} of us", join=join)
        for first, join in (("Anna", "open"), ("Bo", "request"), ("小龙", "open"))
    ]
    make(api, alice, kind="group", name=f"{sought} hidden", join="invite")
    chats = found(api, stranger, q=sought.upper(), limit=1)

    assert [chat["chat"] for chat in chats] == made
    assert [(chat["kind"], chat["join"], chat["members"]) for chat in chats[:2]] == [
        ("group", "open", 1),
        ("group", "request", 1),
    ]


def test_a_group_is_found_as_it_is_now(api: Api) -> None:
    """A group is found by its new name and not by the old; closed or deleted, not at all."""
    _, alice, stranger = api.new_pair()
    old, new = word(), word()
    path = f"/v1/chats/{make(api, alice, kind='group', name=old, join='open')}"
    other = make(api, alice, kind="group", name=new, join="open")
    assert api.call("PATCH", path, user=alice, json={"name": new}).status_code == 200
    assert found(api, stranger, q=old, limit=9) == []
    assert len(found(api, stranger, q=new, limit=9)) == 2
    assert api.call("PATCH", path, user=alice, json={"join": "invite"}).status_code == 200
    assert [chat["chat"] for chat in found(api, stranger, q=new, limit=9)] == [other]
    assert api.call("DELETE", f"/v1/chats/{other}", user=alice).status_code == 204
    assert found(api, stranger, q=new, limit=9) == []


def test_rooms_are_found_and_listed(api: Api) -> None:
    """A room is found by its id and its name, and listed before older ones, until it is deleted."""
    _, alice, stranger = api.new_pair()
    ids = [word(), word()]
    older, newer = (make(api, alice, kind="room", id=one, name=f"Room {one}") for one in ids)
    for q in (ids[0], older, f"room {ids[0]}"):
        assert [chat["chat"] for chat in found(api, stranger, q=q, limit=9)] == [older]
    listed = [chat["chat"] for chat in found(api, stranger, "/v1/rooms", limit=100)]
    assert listed.index(newer) < listed.index(older)
    assert len(listed) == len(set(listed))

    assert api.call("DELETE", f"/v1/chats/{older}", user=alice).status_code == 204
    assert found(api, stranger, q=ids[0], limit=9) == []
    assert older not in [chat["chat"] for chat in found(api, stranger, "/v1/rooms", limit=100)]


@pytest.mark.parametrize(
    ("path", "query", "field"),
    [
        ("/v1/groups", {}, "q"),
        ("/v1/groups", {"q": "a"}, "q"),
        ("/v1/groups", {"q": "an", "limit": 101}, "limit"),
        ("/v1/groups", {"q": "an", "cursor": "nonsense"}, "cursor"),
        ("/v1/rooms", {"limit": 0}, "limit"),
        ("/v1/rooms", {"cursor": "1.alice"}, "cursor"),
    ],
)
def test_invalid_search_names_the_field_at_fault(
    api: Api, path: str, query: dict[str, Any], field: str
) -> None:
    """The error of an invalid search names the field at fault."""
    answer = api.call("GET", path, user=api.stranger(), params=query)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


@pytest.mark.parametrize("path", ["/v1/groups?q=chess", "/v1/rooms"])
def test_nobody_is_refused(anyone: Api, path: str) -> None:
    """Groups and rooms are not listed to unauthenticated callers."""
    answer = anyone.call("GET", path)

    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
