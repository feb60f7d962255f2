"""Rooms on connections: joins, leaves and participants."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.services.chats.rules import moderation
from chalicelib.store.realtime.chat_connections import ChatConnections
from chalicelib.store.redis.query import Query
from tests.realtime.recorded_connections import LARGE_CHAT, NO_LEASE, Socket, Stage

ENTERED = "a new user has joined the room"
GONE = "user left the chat"


@pytest.fixture
def lobby(stage: Stage) -> str:
    """A room of ann's."""
    return stage.room("ann")


def joined(stage: Stage, *users: str) -> list[Socket]:
    """Connect users, each with a connection that joins the lobby, and drop the first notices."""
    sockets = [stage.connect(user) for user in users]
    for socket in sockets:
        socket.send(type="room.join", room="lobby")
    for socket in sockets:
        socket.frames.clear()
    return sockets


def notices(socket: Socket) -> list[tuple[str, str]]:
    """Return the users that a client was notified of as entering or leaving."""
    frames = [frame for frame in socket.of_type("room") if "user" in frame]
    assert all(frame["notice"] == {"entered": ENTERED, "gone": GONE}[frame["event"]] for frame in frames)
    return [(frame["event"], frame["user"]) for frame in frames]


def test_join_lists_participants_and_notifies_them_once(stage: Stage, lobby: str) -> None:
    """The answer names all participants; they get one notice; the user becomes a member."""
    (ann,) = joined(stage, "ann")
    bob = stage.connect("bob")

    answer = bob.ask(type="room.join", room="Lobby", ref="7")

    assert answer == {
        "type": "room",
        "room": "lobby",
        "chat": lobby,
        "event": "joined",
        "clients": ["ann", "bob"],
        "ref": "7",
    }
    assert notices(ann) == [("entered", "bob")]
    assert ann.of_type("room")[0]["chat"] == lobby
    assert "bob" in [one.id for one in stage.services.go_chat.clients(stage.caller("ann"), "lobby")]


def test_joining_again_is_no_news(stage: Stage, lobby: str) -> None:
    """A second join, and a second device, get an answer, and no notice is sent."""
    ann, bob = joined(stage, "ann", "bob")

    assert bob.ask(type="room.join", room="lobby")["event"] == "joined"
    assert stage.connect("bob").ask(type="room.join", room="lobby")["clients"] == ["ann", "bob"]
    assert (notices(ann), notices(bob)) == ([], [])


def test_leave_is_pushed_once_and_keeps_membership(stage: Stage, lobby: str) -> None:
    """A leave is pushed to the others once; the user stays a member; leaving again gets the same answer."""
    ann, bob = joined(stage, "ann", "bob")

    assert bob.ask(type="room.leave", room="lobby", ref="1")["event"] == "left"
    assert bob.ask(type="room.leave", room="lobby")["event"] == "left"

    assert notices(ann) == [("gone", "bob")]
    assert notices(bob) == []
    assert ann.ask(type="room.clients", room="lobby")["clients"] == ["ann"]
    assert bob.ask(type="room.clients", room="lobby")["clients"] == ["ann"]


def test_member_who_left_a_large_room_still_gets_messages(stage: Stage, lobby: str) -> None:
    """Being in a room and receiving its messages are independent."""
    users = ["ann", "bob", "cid", "dan", "eve", "fay"]
    sockets = joined(stage, *users)
    sockets[1].ask(type="room.leave", room="lobby")
    sockets[1].frames.clear()

    stage.write("ann", lobby)

    assert [frame["text"] for frame in sockets[1].of_type("message")] == ["hi"]


@pytest.mark.parametrize("ends", [1, 2, 3])
def test_a_connection_that_closes_is_gone_once(stage: Stage, lobby: str, ends: int) -> None:
    """A close is announced once, however often the server learns of it, and whatever the sweep finds."""
    ann, bob = joined(stage, "ann", "bob")

    for _ in range(ends):
        bob.close()
    stage.sweep()

    assert notices(ann) == [("gone", "bob")]


def test_a_user_is_gone_with_their_last_connection(stage: Stage, lobby: str) -> None:
    """A device that closes or leaves sends no notice while the user has another in the room."""
    ann, phone, laptop, tablet = joined(stage, "ann", "bob", "bob", "bob")

    phone.close()
    laptop.send(type="room.leave", room="lobby")
    assert notices(ann) == []
    tablet.close()
    assert notices(ann) == [("gone", "bob")]


def test_lost_connection_leaves_its_room_at_the_sweep(stage: Stage, lobby: str) -> None:
    """The end of the lease is pushed once, even if the server learns of the close later."""
    ann, bob = joined(stage, "ann", "bob")
    bob.expire()
    assert ann.ask(type="room.clients", room="lobby")["clients"] == ["ann"]
    assert notices(ann) == []

    assert [stage.sweep(), stage.sweep()] == [1, 0]
    bob.disconnected()

    assert notices(ann) == [("gone", "bob")]


def test_failed_push_removes_its_connection_from_the_room(stage: Stage, lobby: str) -> None:
    """A vanished client leaves the room once, as soon as a push to it fails."""
    ann, bob, cid = joined(stage, "ann", "bob", "cid")
    bob.vanish()

    cid.send(type="room.leave", room="lobby")
    bob.disconnected()
    stage.sweep()

    assert sorted(notices(ann)) == [("gone", "bob"), ("gone", "cid")]


def test_a_room_that_is_full_of_vanished_ends(stage: Stage, lobby: str) -> None:
    """A notice that finds further connections gone ends each of them, once."""
    ann, *others = joined(stage, "ann", *(f"user{number}" for number in range(LARGE_CHAT)))
    for socket in others:
        socket.vanish()

    others[0].disconnected()

    assert sorted(notices(ann)) == sorted(("gone", socket.user) for socket in others)


@pytest.mark.parametrize("round_trips", range(6))
def test_a_join_that_meets_the_end_of_its_connection_leaves_nothing(
    stage: Stage, lobby: str, monkeypatch: pytest.MonkeyPatch, round_trips: int
) -> None:
    """After a connection ends in the middle of a join, its user is absent; notices come in pairs."""
    (ann,) = joined(stage, "ann")
    bob, store, left = stage.connect("bob"), stage.services._store, [round_trips]
    run = store.run

    def ending(query: Query[Any]) -> Any:
        left[0] -= 1
        if left[0] == -1:
            bob.close()
        return run(query)

    monkeypatch.setattr(store, "run", ending)
    bob.send(type="room.join", room="lobby")
    bob.close()

    assert notices(ann) in ([], [("entered", "bob"), ("gone", "bob")])
    assert ann.ask(type="room.clients", room="lobby")["clients"] == ["ann"]
    assert not stage.store.run(ChatConnections(NO_LEASE).detach(lobby, bob.id)).handle


def test_banned_user_receives_nothing_and_is_not_listed(stage: Stage, lobby: str) -> None:
    """A banned user's connection is in the room for nobody, though it stays open."""
    bob = joined(stage, "ann", "bob")[1]
    stage.services.membership.apply(stage.caller("ann"), lobby, "bob", moderation.ban)
    bob.frames.clear()

    cid = stage.connect("cid")
    assert cid.ask(type="room.join", room="lobby")["clients"] == ["ann", "cid"]

    assert notices(bob) == []
    assert bob.ask(type="room.clients", room="lobby")["code"] == "not_a_member"
    assert bob.ask(type="room.join", room="lobby")["code"] == "banned"
    assert bob.ask(type="room.leave", room="lobby")["event"] == "left"


@pytest.mark.parametrize("kind", ["room.join", "room.clients"])
def test_a_room_that_is_not_there(stage: Stage, kind: str) -> None:
    """The error names the room."""
    error = stage.connect("bob").ask(type=kind, room="nowhere", ref="9")
    assert (error["status"], error["code"], error["ref"]) == (404, "chat_not_found", "9")


def test_room_clients_lists_members_and_marks_participants(stage: Stage, lobby: str) -> None:
    """Members are listed, those connected to the room are marked; a visitor sees the same."""
    joined(stage, "ann", "bob")[1].close()
    stage.connect("bob")

    for reader in ("ann", "visitor"):
        found = stage.services.go_chat.clients(stage.caller(reader), "lobby")
        assert [(one.id, one.connected) for one in found] == [("ann", True), ("bob", False)]


def test_the_ticket_of_a_room_joins_it(stage: Stage, lobby: str) -> None:
    """A connection opened for a room is in it after its hello."""
    (ann,) = joined(stage, "ann")
    bob = stage.connect("bob", room="lobby", hello=False)

    types = [frame["type"] for frame in bob.send(type="hello") if frame["type"] not in {"message", "chat"}]
    assert types[-2:] == ["ready", "room"]
    assert notices(ann) == [("entered", "bob")]


def test_large_room_pushes_no_joins_or_leaves(stage: Stage, lobby: str) -> None:
    """Above a number of connections joins and leaves are not pushed; below it they are again."""
    there = joined(stage, "ann", *(f"guest{number}" for number in range(LARGE_CHAT)))
    last = stage.connect("late")
    last.send(type="room.join", room="lobby")
    assert [notices(socket) for socket in there] == [[]] * (LARGE_CHAT + 1)

    last.send(type="room.leave", room="lobby")
    there[-1].send(type="room.leave", room="lobby")
    assert notices(there[0]) == [("gone", f"guest{LARGE_CHAT - 1}")]
