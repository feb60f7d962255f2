"""Messages that expire, on any server."""

from __future__ import annotations

from datetime import datetime

from tests.deployed.client import Api, fields_at_fault


def test_a_message_has_the_shorter_lifetime_of_its_own_and_its_chat(api: Api) -> None:
    """The chat's lifetime is in its row, and both say when a message expires; too short a life is a 400."""
    chat, alice, bob = api.new_pair()
    path = f"/v1/chats/{chat}"
    assert api.call("PATCH", path, user=bob, json={"expires_in": 3600}).json()["expires_in"] == 3600
    for own, expected in ((None, 3600), (60, 60), (7200, 3600)):
        body = {"text": "hi"} if own is None else {"text": "hi", "expires_in": own}
        sent = api.call("POST", f"{path}/messages", user=alice, json=body).json()
        life = datetime.fromisoformat(sent["expires_at"]) - datetime.fromisoformat(sent["sent_at"])
        assert life.total_seconds() == expected
    assert api.call("PATCH", path, user=alice, json={"expires_in": None}).status_code == 200
    assert "expires_at" not in api.call("POST", f"{path}/messages", user=alice, json={"text": "hi"}).json()
    short = api.call("POST", f"{path}/messages", user=alice, json={"text": "hi", "expires_in": 4})
    assert (short.status_code, fields_at_fault(short)) == (400, ["expires_in"])
