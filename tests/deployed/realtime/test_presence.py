"""Presence and last-seen times."""

from __future__ import annotations

from typing import Any

from tests.deployed.people import Person
from tests.deployed.realtime.users import Net
from tests.servers.waiting import eventually


def shown(net: Net, person: Person, reader: Person) -> Any:
    """Return a user's presence as another reads it over HTTP."""
    answer = net.api.call("GET", f"/v1/users/{person.handle}/presence", person=reader)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_watch_shows_presence_now_and_its_changes(net: Net) -> None:
    """A watcher sees that a user is offline, comes online and goes offline, and when."""
    alice, bob = net.someone(), net.someone()
    watching = net.device(alice)
    answer = watching.ask("watch", users=[bob.handle])
    (now,) = answer["users"]
    assert (answer["type"], now["user"], now["online"]) == ("presence", bob.handle, False)
    device = net.device(bob)
    (came,) = watching.expect("presence")["users"]
    assert (came["user"], came["online"]) == (bob.handle, True)
    device.close()
    (went,) = watching.expect("presence")["users"]
    assert (went["user"], went["online"]) == (bob.handle, False)
    assert went["last_seen_at"] is not None


def test_presence_over_http(net: Net) -> None:
    """The same presence can be read over HTTP."""
    alice, bob = net.someone(), net.someone()
    assert shown(net, bob, alice)["online"] is False
    device = net.device(bob)
    assert shown(net, bob, alice)["online"] is True
    device.close()
    assert eventually(lambda: shown(net, bob, alice)["online"] is False)
    assert shown(net, bob, alice)["last_seen_at"] is not None


def test_one_device_of_two_keeps_its_user_online(net: Net) -> None:
    """A user is online while any device is: only the last of two closes is pushed."""
    alice, bob = net.someone(), net.someone()
    first, second = net.device(bob), net.device(bob)
    watching, room = net.device(alice), net.room(alice)
    assert watching.ask("watch", users=[bob.handle])["users"][0]["online"] is True
    for device in (watching, first):
        device.ask("room.join", room=room)
    first.close()
    watching.expect("room", room=room, event="gone")
    second.close()
    assert watching.expect("presence")["users"][0]["online"] is False
    assert watching.kept("presence") == []


def test_new_watch_replaces_the_one_before(net: Net) -> None:
    """A new `watch` replaces the one before: users who are left out cause no more pushes."""
    alice, bob, carol = net.someone(), net.someone(), net.someone()
    watching = net.device(alice)
    watching.ask("watch", users=[bob.handle])
    assert [one["user"] for one in watching.ask("watch", users=[carol.handle])["users"]] == [carol.handle]
    net.device(bob)
    net.device(carol)
    assert watching.expect("presence")["users"][0]["user"] == carol.handle
    assert watching.kept("presence") == []


def test_a_blocked_user_sees_nobody(net: Net) -> None:
    """A blocked user sees the other as offline and never seen."""
    alice, bob = net.someone(), net.someone()
    blocked = net.api.call("PUT", f"/v1/users/me/blocked/{bob.handle}", person=alice)
    assert blocked.status_code in (200, 204), blocked.text
    device = net.device(alice)
    watching, other = net.device(bob), net.device(net.someone())
    (now,) = watching.ask("watch", users=[alice.handle])["users"]
    assert (now["online"], now.get("last_seen_at")) == (False, None)
    assert other.ask("watch", users=[alice.handle])["users"][0]["online"] is True
    device.close()
    assert other.expect("presence")["users"][0]["online"] is False
    assert watching.kept("presence") == []
