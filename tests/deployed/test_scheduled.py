"""Scheduled messages, on any server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.deployed.client import Api, fields_at_fault

DAY = timedelta(days=1)


def at(ahead: timedelta) -> str:
    """Return a time after now."""
    return (datetime.now(UTC) + ahead).isoformat(timespec="microseconds").replace("+00:00", "Z")


def test_a_scheduled_message_is_listed_changed_and_cancelled(api: Api) -> None:
    """A message for tomorrow is in its sender's list alone until it is cancelled."""
    chat, alice, bob = api.new_pair()
    body = {"text": "happy birthday", "send_at": at(DAY), "id": "once"}
    answer = api.call("POST", f"/v1/chats/{chat}/scheduled", user=alice, json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    path = f"/v1/scheduled/{made['id']}"
    assert answer.headers["Location"].endswith(path)
    assert made == {**body, "id": made["id"], "chat": chat, "made_at": made["made_at"]}
    again = api.call("POST", f"/v1/chats/{chat}/scheduled", user=alice, json=body)
    assert (again.status_code, again.json()) == (201, made)

    changed = api.call("PATCH", path, user=alice, json={"text": "congratulations"}).json()
    assert changed == {**made, "text": "congratulations"}
    listed = api.call("GET", "/v1/scheduled", user=alice, params={"chat": chat}).json()
    assert listed == {"scheduled": [changed], "next": None}
    assert api.call("GET", path, user=bob).status_code == 404
    assert api.call("DELETE", path, user=bob).json()["code"] == "scheduled_not_found"
    assert api.page(chat, bob)["messages"] == []
    assert api.call("DELETE", path, user=alice).status_code == 204
    assert api.call("GET", path, user=alice).json()["code"] == "scheduled_not_found"


def test_a_message_is_scheduled_for_a_time_from_now_to_a_year_ahead(api: Api) -> None:
    """A time that has passed, or is more than a year ahead, is a 400 that names the field."""
    chat, alice, _ = api.new_pair()
    for send_at in (at(-DAY), at(timedelta()), at(367 * DAY), "tomorrow"):
        body = {"text": "hi", "send_at": send_at}
        answer = api.call("POST", f"/v1/chats/{chat}/scheduled", user=alice, json=body)
        assert (answer.status_code, fields_at_fault(answer)) == (400, ["send_at"])
