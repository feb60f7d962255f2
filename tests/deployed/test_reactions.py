"""Reactions, whose emoji are percent-encoded in the path, pins and hidden messages, on every server."""

from __future__ import annotations

from urllib.parse import quote

from tests.deployed.client import Api
from tests.deployed.people import People

FAMILY, KEYCAP = "👨‍👩‍👧‍👦", "#️⃣"


def test_react_pin_and_hide_over_http(api: Api, people: People) -> None:
    """Any emoji goes through the path; a message is pinned for both, and hidden for one."""
    ann, bob = people.new(), people.new()
    path = f"/v1/chats/{':'.join(sorted((ann.handle, bob.handle)))}/messages"
    assert api.call("POST", path, person=ann, json={"text": "hello"}).status_code == 201
    for emoji in (FAMILY, KEYCAP):
        answer = api.call("PUT", f"{path}/1/reactions/{quote(emoji, safe='')}", person=bob)
        assert answer.status_code == 204, answer.text
    gone = api.call("DELETE", f"{path}/1/reactions/{quote(FAMILY, safe='')}", person=bob)
    assert gone.status_code == 204
    assert api.call("PUT", f"{path}/1/pin", person=bob).status_code == 204
    assert api.call("DELETE", f"{path}/1", person=bob, params={"for": "me"}).status_code == 204

    shown = api.call("GET", f"{path}/1", person=ann).json()
    assert shown["reactions"] == [{"emoji": KEYCAP, "count": 1, "me": False}]
    assert shown["pinned_at"]
    assert api.call("GET", f"{path}/1", person=bob).status_code == 404
    assert api.call("GET", path, person=bob).json()["messages"] == []
