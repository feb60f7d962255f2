"""Search in messages: GET /v1/search."""

from __future__ import annotations

import uuid
from typing import Any

from tests.deployed.client import Api


def search(api: Api, user: str, **query: Any) -> list[dict[str, Any]]:
    """Return the hits of a search on all pages."""
    hits: list[dict[str, Any]] = []
    while True:
        answer = api.call("GET", "/v1/search", user=user, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        assert page.keys() == {"hits", "next"}
        hits += page["hits"]
        if page["next"] is None:
            return hits
        query["before"] = page["next"]


def found(hits: list[dict[str, Any]]) -> list[list[str]]:
    """Return what each hit shows of its text."""
    return [[hit["message"]["text"][one["start"] : one["end"]] for one in hit["ranges"]] for hit in hits]


def test_members_find_messages_as_they_are_now(api: Api) -> None:
    """Words are found in one chat and in all, by sender, and an edit and a deletion count at once."""
    word, (chat, alice, bob) = f"w{uuid.uuid4().hex[:12]}", api.new_pair()
    other, path = api.stranger(alice, bob), f"/v1/chats/{chat}/messages"
    for user, text in ((alice, f"{word} Straße 🎉"), (bob, f"火车七点开 {word.upper()}s"), (alice, "no")):
        assert api.post(chat, user, text=text).status_code == 201

    assert found(search(api, alice, q=word, limit=1)) == [[word.upper()], [word]]
    assert found(search(api, bob, q="strasse 🎉", chat=chat)) == [["Straße", "🎉"]]
    assert found(search(api, bob, q=f"七点 {word}", **{"from": bob})) == [["七点", word.upper()]]
    assert search(api, other, q=word) == []
    assert api.call("GET", "/v1/search", user=other, params={"q": word, "chat": chat}).status_code == 403

    edited = api.call("PATCH", f"{path}/1", user=alice, json={"text": f"nothing {word[::-1]}"})
    deleted = api.call("DELETE", f"{path}/2", user=bob, params={"for": "all"})
    assert (edited.status_code // 100, deleted.status_code // 100) == (2, 2), (edited.text, deleted.text)
    assert search(api, alice, q=word, chat=chat) == search(api, alice, q=word) == []
    assert found(search(api, alice, q=word[::-1])) == [[word[::-1]]]


def test_wrong_searches_are_refused_by_field(api: Api) -> None:
    """The problem names the parameter at fault."""
    _, alice, _ = api.new_pair()
    for field, query in (
        ("q", {}),
        ("q", {"q": "..."}),
        ("q", {"q": "a " * 17}),
        ("q", {"q": "a" * 257}),
        ("from", {"q": "a", "from": "a:b"}),
        ("before", {"q": "a", "before": "12"}),
        ("limit", {"q": "a", "limit": 101}),
        ("cursor", {"q": "a", "cursor": "1"}),
    ):
        answer = api.call("GET", "/v1/search", user=alice, params=query)
        assert answer.status_code == 400, answer.text
        assert [error["field"] for error in answer.json()["errors"]] == [field]
