"""Presence: answers and notices."""

from __future__ import annotations

import pytest

from chalicelib.errors import BadRequest, UserNotFound
from tests.realtime.in_process import Door
from tests.realtime.recorded_connections import Frame, Socket, Stage
from tests.store.app_requests import call


def watching(stage: Stage, watcher: str, *users: str, token: str | None = None) -> Socket:
    """Connect a user who watches others, and drop the first answers."""
    socket = stage.connect(watcher, token=token)
    assert socket.ask(type="watch", users=list(users))["type"] == "presence"
    socket.frames.clear()
    return socket


def changes(socket: Socket) -> list[tuple[str, bool]]:
    """Return the users that a client was notified of, online (True) or not, and check the times."""
    found: list[Frame] = [row for frame in socket.of_type("presence") for row in frame["users"]]
    assert all((row["last_seen_at"] is None) == row["online"] for row in found)
    return [(row["user"], row["online"]) for row in found]


def test_watch_answers_each_users_presence(stage: Stage) -> None:
    """The answer has each user once, in the order of the request: online, seen before, or never seen."""
    stage.connect("bob")
    stage.connect("cid").close()

    answer = stage.connect("ann").ask(type="watch", users=["bob", "BOB", "cid", "dan", "ann"], ref="5")

    rows = {row["user"]: (row["online"], row["last_seen_at"] is not None) for row in answer["users"]}
    assert rows == {
        "bob": (True, False),
        "cid": (False, True),
        "dan": (False, False),
        "ann": (True, False),
    }
    assert ([row["user"] for row in answer["users"]], answer["ref"]) == (["bob", "cid", "dan", "ann"], "5")


def test_each_presence_change_is_one_push(stage: Stage) -> None:
    """Coming online and going offline are one push each; last_seen_at is the time."""
    ann = watching(stage, "ann", "bob")

    bob = stage.connect("bob")
    assert changes(ann) == [("bob", True)]
    bob.close()
    assert changes(ann) == [("bob", True), ("bob", False)]
    shown = stage.services.realtime.presence.of(stage.caller("ann"), "bob")
    assert (shown.online, shown.last_seen_at) == (False, ann.frames[-1]["users"][0]["last_seen_at"])


def test_a_connection_that_said_no_hello_is_nobody(stage: Stage) -> None:
    """A connection without a hello is offline, and its end sends no notice."""
    ann = watching(stage, "ann", "bob")
    stage.connect("bob", hello=False).close()
    assert changes(ann) == []


def test_an_old_socket_that_closes_late_changes_nothing(stage: Stage) -> None:
    """A user who opened a new connection stays online, and reachable, when the old one closes after it."""
    ann = watching(stage, "ann", "bob")
    old, new = stage.connect("bob"), stage.connect("bob")

    old.close()
    old.disconnected()
    assert changes(ann) == [("bob", True)]
    assert stage.services.realtime.presence.of(stage.caller("ann"), "bob").online
    stage.write("ann", "ann:bob")
    assert [frame["text"] for frame in new.of_type("message")] == ["hi"]

    new.close()
    assert changes(ann) == [("bob", True), ("bob", False)]


@pytest.mark.parametrize("ends", [1, 2, 3])
def test_going_offline_is_pushed_once(stage: Stage, ends: int) -> None:
    """Going offline is pushed once, however often the server learns of it."""
    ann = watching(stage, "ann", "bob")
    bob = stage.connect("bob")

    for _ in range(ends):
        bob.close()
    stage.sweep()

    assert changes(ann) == [("bob", True), ("bob", False)]


def test_lost_connection_is_offline_at_the_sweep(stage: Stage) -> None:
    """A lost user is offline on request once the lease is over; the sweep pushes it once."""
    ann = watching(stage, "ann", "bob")
    bob = stage.connect("bob")
    bob.expire()
    assert not stage.services.realtime.presence.of(stage.caller("ann"), "bob").online
    assert changes(ann) == [("bob", True)]

    assert [stage.sweep(), stage.sweep()] == [1, 0]
    bob.disconnected()

    assert changes(ann) == [("bob", True), ("bob", False)]


def test_failed_push_marks_its_user_offline(stage: Stage) -> None:
    """A vanished client is offline as soon as a push to it fails."""
    ann = watching(stage, "ann", "bob")
    bob = stage.connect("bob")
    bob.vanish()

    stage.write("cid", "bob:cid")

    assert changes(ann) == [("bob", True), ("bob", False)]


def test_a_watch_replaces_the_one_before(stage: Stage) -> None:
    """A user who is no longer watched sends no notices; an empty list watches nobody."""
    ann = watching(stage, "ann", "bob", "cid")
    assert ann.ask(type="watch", users=["cid", "dan"])["users"]
    ann.frames.clear()

    for user in ("bob", "cid", "dan"):
        stage.connect(user)
    assert changes(ann) == [("cid", True), ("dan", True)]

    assert ann.ask(type="watch", users=[])["users"] == []
    ann.frames.clear()
    stage.connect("eve").close()
    assert changes(ann) == []


def test_the_end_of_a_watcher_ends_the_watch(stage: Stage) -> None:
    """A closed watcher gets no push: the next change finds no watcher."""
    watching(stage, "ann", "bob").close()
    asked: list[int] = []
    stage.recorder.when_pushing = lambda: asked.append(1)

    bob = stage.connect("bob", hello=False)
    bob.send(type="hello")

    assert len(asked) == len(bob.frames)


def test_a_hundred_can_be_watched_and_no_more(stage: Stage) -> None:
    """100 users are shown and watched; of 101 none is, and the earlier watch stays."""
    users = [f"user{number}" for number in range(101)]
    ann = watching(stage, "ann", "bob")

    error = ann.ask(type="watch", users=users, ref="2")
    assert (error["status"], error["code"], error["ref"]) == (400, "bad_request", "2")
    assert len(ann.ask(type="watch", users=users[1:])["users"]) == 100
    ann.frames.clear()

    stage.connect(users[100])
    stage.connect("bob")
    assert changes(ann) == [(users[100], True)]


def test_a_name_that_nobody_can_have_is_an_error(stage: Stage) -> None:
    """The error names the field."""
    error = stage.connect("ann").ask(type="watch", users=["bob", ""])
    assert (error["code"], error["errors"][0]["field"]) == ("bad_request", "users")


def test_presence_is_hidden_from_the_blocked(stage: Stage) -> None:
    """A blocked user sees the blocker as never seen, and gets no notice, but sees others."""
    bobs, anns = stage.register("bob"), stage.register("ann")
    ann = watching(stage, "ann", "bob", "cid", token=anns)
    stage.connect("bob", token=bobs).close()
    assert changes(ann) == [("bob", True), ("bob", False)]
    ann.frames.clear()
    stage.services.blocks.block("bob", "ann")
    ann.frames.clear()

    bob = stage.connect("bob", token=bobs)
    stage.connect("cid")
    bob.close()

    assert changes(ann) == [("cid", True)]
    answer = ann.ask(type="watch", users=["bob"])
    assert answer["users"] == [{"user": "bob", "online": False, "last_seen_at": None}]
    shown = stage.services.realtime.presence.of(stage.caller("ann"), "bob")
    assert (shown.online, shown.last_seen_at) == (False, None)


def test_presence_of_an_unknown_user_is_not_found(stage: Stage) -> None:
    """An account that never connected is offline; a name without an account is not found."""
    stage.register("bob")
    presence = stage.services.realtime.presence

    shown = presence.of(stage.caller("ann"), "BOB")
    assert (shown.handle, shown.online, shown.last_seen_at) == ("bob", False, None)
    with pytest.raises(UserNotFound):
        presence.of(stage.caller("ann"), "nobody")
    with pytest.raises(BadRequest):
        presence.of(stage.caller("ann"), "a:b")


def test_a_deleted_account_is_not_found_and_went_offline(stage: Stage) -> None:
    """Watchers are notified that a deleted user has gone offline; the connection is closed."""
    token = stage.register("bob")
    ann = watching(stage, "ann", "bob")
    bob = stage.connect("bob", token=token)
    assert changes(ann) == [("bob", True)]

    stage.services.deletion.delete("bob")

    assert changes(ann) == [("bob", True), ("bob", False)]
    assert stage.recorder.closed == [bob.id]
    with pytest.raises(UserNotFound):
        stage.services.realtime.presence.of(stage.caller("ann"), "bob")


def test_presence_route_needs_a_caller_and_ignores_case(door: Door) -> None:
    """GET /v1/users/{handle}/presence needs an authenticated caller, and ignores the handle's case."""
    path = "/v1/users/{}/presence"
    bob = door.enter("bob")
    answer = door.rest("ann", "GET", path.format("BOB"))
    assert (answer.status, answer.body) == (200, {"handle": "bob", "online": True, "last_seen_at": None})

    bob.leave()
    answer = door.rest("ann", "GET", path.format("bob"))
    assert (answer.status, answer.body["online"]) == (200, False)
    assert answer.body["last_seen_at"] is not None

    never = {"handle": "cyd", "online": False, "last_seen_at": None}
    assert door.rest("ann", "GET", path.format("cyd")).body == never
    assert door.rest("bob", "PUT", "/v1/users/me/blocked/ann").status == 204
    assert door.rest("ann", "GET", path.format("bob")).body == {**never, "handle": "bob"}
    refused = [door.rest("ann", "GET", path.format(name)) for name in ("dan", "a:b")]
    assert [(one.status, one.body["code"]) for one in refused] == [
        (404, "user_not_found"),
        (400, "bad_request"),
    ]
    assert call("GET", path.format("bob")).status == 401
