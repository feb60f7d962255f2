"""The round trips of frames."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.services.auth import account_status
from tests.realtime.recorded_connections import Stage

TAKEN = 1
"""The round trip that returns the frame's user."""
USERS = [f"user{number}" for number in range(100)]


@pytest.fixture
def made(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One entry for each round trip of the services; none for what the process has cached."""
    monkeypatch.setattr(account_status, "KEPT_SECONDS", 3600.0)
    store, made = stage.services._store, list[str]()
    guarded = store._guarded

    def counted(call: Callable[[], Any], repeatable: bool) -> Any:
        made.append("round trip")
        return guarded(call, repeatable)

    monkeypatch.setattr(store, "_guarded", counted)
    return made


@pytest.mark.parametrize(
    ("round_trips", "frame"),
    [
        (0, {"type": "ping"}),
        (1, {"type": "typing", "chat": "ann:bob", "on": True}),
        (2, {"type": "typing", "chat": "r-lobby", "on": True}),
        (1, {"type": "signal", "to": "bob", "call": "1", "kind": "ring"}),
        (2, {"type": "signal", "chat": "r-lobby", "call": "1", "kind": "ring"}),
        (2, {"type": "watch", "users": USERS}),
        (1, {"type": "watch", "users": []}),
        (4, {"type": "room.join", "room": "lobby"}),
        (3, {"type": "room.leave", "room": "lobby"}),
        (2, {"type": "room.clients", "room": "lobby"}),
    ],
    ids=lambda given: given["type"] if isinstance(given, dict) else None,
)
def test_frames_take_the_documented_round_trips(
    stage: Stage, made: list[str], round_trips: int, frame: dict[str, Any]
) -> None:
    """Each frame takes the round trips in the docstrings, plus one for the frame itself."""
    stage.room("ann")
    for user in ("ann", "bob"):
        stage.write(user, "ann:bob")
    ann, bob = stage.connect("ann"), stage.connect("bob")
    for socket in (ann, bob):
        socket.send(type="room.join", room="lobby")
    made.clear()
    answers = ann.send(**frame)

    assert [answer["code"] for answer in answers if answer["type"] == "error"] == []
    assert len(made) == TAKEN + round_trips


@pytest.mark.parametrize(
    ("known", "unknown", "chat"), [(2, 2, "ann:bob"), (4, 4, "r-lobby")], ids=["direct", "group"]
)
def test_send_takes_its_limit_in_an_existing_round_trip(
    stage: Stage, made: list[str], known: int, unknown: int, chat: str
) -> None:
    """The limit is taken in a round trip that is made anyway, if the process knows the connection.

    A direct chat without connections of the other user: whose frame it is, and the send. A group: whose frame
    it is, the append, the inboxes, and that it is pushed. A process that has not heard of the connection
    takes from the limit in the step of the append.
    """
    tokens = {user: stage.register(user) for user in ("ann", "bob")}
    stage.room("ann")
    ann = stage.connect("ann", token=tokens["ann"])
    ann.send(type="send", chat=chat, id="warm", text="hi")
    for number, round_trips in enumerate((known, unknown)):
        if number == 1:
            stage.services.realtime.frames._limits._known.clear()
        made.clear()
        assert ann.ask(type="send", chat=chat, id=f"id-{number}", text="hi")["type"] == "ack"
        assert len(made) == round_trips


@pytest.mark.parametrize("checked", [1, 100])
def test_cursors_to_check_take_one_more_round_trip(stage: Stage, made: list[str], checked: int) -> None:
    """Cursors to check take one more round trip, however many, and none if there are none."""
    ann = stage.connect("ann", token=stage.register("ann"))
    counts = []
    for count in (0, checked, 0, checked):
        check = [{"chat": f"ann:n{number}", "cursor": "1.1.1"} for number in range(count)]
        made.clear()
        answer, _ = ann.send(type="hello", check=check)
        assert len(answer.get("history_changed", [])) == count
        counts.append(len(made))

    assert counts[2:] == [counts[0], counts[0] + 1]


def test_pull_frame_takes_two_round_trips(stage: Stage, made: list[str]) -> None:
    """A pull takes two round trips: the connection's user, and the page with the limit."""
    ann = stage.connect("ann", token=stage.register("ann"))
    for _ in range(2):
        made.clear()
        assert ann.ask(type="pull", chat="ann:ann")["type"] == "page"
        assert len(made) == TAKEN + 1
        stage.services.realtime.frames._limits._known.clear()


@pytest.mark.parametrize(("watched", "most"), [(0, 6), (100, 7)])
def test_end_of_a_connection_takes_few_round_trips(
    stage: Stage, made: list[str], watched: int, most: int
) -> None:
    """However many keys hold a connection, its end takes a handful of round trips."""
    for room in ("one", "two", "three"):
        stage.room("ann", room)
    ann = stage.connect("ann")
    for room in ("one", "two", "three"):
        ann.send(type="room.join", room=room)
    ann.send(type="watch", users=USERS[:watched])
    made.clear()
    ann.close()

    assert len(made) <= most
