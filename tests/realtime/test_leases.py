"""Leases: renewed by frames, and ended by the sweep."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from chalicelib.config import Settings
from chalicelib.errors import StoreUnavailable
from chalicelib.push_gateway.pusher import LEASE_EXPIRED, SESSION_ENDED
from chalicelib.store import keys
from chalicelib.store.realtime.chat_connections import ChatConnections
from tests.realtime.recorded_connections import NO_LEASE, Socket, Stage
from tests.servers.engines import Engine
from tests.store.account_records import clock as time_of
from tests.store.log_records import RawClient

Told = list[tuple[str, str]]


@pytest.fixture
def raw(valkey: Engine) -> Iterator[RawClient]:
    """A client that looks at keys, and damages them, by hand."""
    with redis.Redis.from_url(valkey.url) as client:
        yield client


@pytest.fixture
def ann(stage: Stage) -> Socket:
    """A user in the lobby who watches bob and cid."""
    stage.room("ann")
    ann = stage.connect("ann")
    ann.send(type="room.join", room="lobby")
    ann.send(type="watch", users=["bob", "cid"])
    ann.frames.clear()
    return ann


def entered(stage: Stage, user: str, **given: Any) -> Socket:
    """Connect a user who joins the lobby and watches ann."""
    socket = stage.connect(user, **given)
    socket.send(type="room.join", room="lobby")
    socket.send(type="watch", users=["ann"])
    socket.frames.clear()
    return socket


def ends(socket: Socket) -> Told:
    """Return the users that a client was notified of as gone from the room, or offline."""
    gone = [frame["user"] for frame in socket.of_type("room") if frame["event"] == "gone"]
    rows = [row for frame in socket.of_type("presence") for row in frame["users"]]
    off = [row["user"] for row in rows if not row["online"]]
    return sorted([(user, "gone") for user in gone] + [(user, "off") for user in off])


def held(raw: RawClient, user: str, connection: str) -> list[int]:
    """Return until when a connection is held: by its user, by the lobby, by ann's watchers; 0: it is not."""
    named = (keys.user_connections(user), keys.chat_connections("r-lobby"), keys.watchers("ann"))
    found: list[Any] = [raw.hget(key, connection) for key in named]
    return [int.from_bytes(value[:8]) if value else 0 for value in found]


def due(raw: RawClient, socket: Socket) -> None:
    """Make the next frame of a connection renew its leases in other slots."""
    raw.hset(keys.connection(socket.id), "renewed", 0)


def test_frames_renew_the_lease_everywhere(stage: Stage, ann: Socket, raw: RawClient) -> None:
    """Some frames renew the connection's leases of its user, rooms and watched users."""
    bob = entered(stage, "bob")
    before = held(raw, "bob", bob.id)

    assert bob.ask(type="ping")["type"] == "pong"
    assert held(raw, "bob", bob.id) == before
    due(raw, bob)
    assert bob.ask(type="ping")["type"] == "pong"

    after = held(raw, "bob", bob.id)
    assert all(new > old > 0 for new, old in zip(after, before, strict=True))
    assert (stage.sweep(), ends(ann)) == (0, [])


def test_a_chat_that_has_lost_a_connection_gets_it_back(stage: Stage, ann: Socket, raw: RawClient) -> None:
    """A renewal attaches the connection again, to chats that its user is still a member of."""
    bob = entered(stage, "bob")
    stage.room("ann", "den")
    bob.send(type="room.join", room="den")
    raw.delete(keys.chat_connections("r-lobby"), keys.chat_connections("r-den"))
    stage.services.membership.leave(stage.caller("bob"), "r-den")

    due(raw, bob)
    bob.frames.clear()
    assert bob.ask(type="ping")["type"] == "pong"

    assert raw.hexists(keys.chat_connections("r-lobby"), bob.id)
    assert not raw.hexists(keys.chat_connections("r-den"), bob.id)
    assert raw.hkeys(keys.connection(bob.id)).count(b"chat:r-lobby") == 1
    assert b"chat:r-den" not in raw.hkeys(keys.connection(bob.id))


def test_a_renewal_ends_the_connection_of_a_session_that_has_ended(
    stage: Stage, ann: Socket, raw: RawClient
) -> None:
    """The sweep also ends a connection that got no notice: it is notified, closed, and others see it gone."""
    bob = entered(stage, "bob", token=stage.register("bob"))
    raw.delete(keys.sessions("bob"))

    due(raw, bob)
    assert bob.ask(type="ping")["code"] == "connection_ended"

    assert stage.recorder.closed == [bob.id]
    assert stage.recorder.endings[-1] == SESSION_ENDED
    bob.disconnected()
    stage.sweep()
    assert ends(ann) == [("bob", "gone"), ("bob", "off")]


def test_sweep_closes_connections_with_expired_leases(stage: Stage, ann: Socket) -> None:
    """The sweep closes a connection that still seems open once, so that its client opens another."""
    bob, cid = entered(stage, "bob"), entered(stage, "cid")
    bob.expire()
    stage.recorder.open[bob.id] = bob.frames
    assert bob.ask(type="ping")["code"] == "connection_ended"
    stage.recorder.open[bob.id] = bob.frames
    stage.recorder.closed.clear()

    assert [stage.sweep(), stage.sweep()] == [1, 0]

    assert stage.recorder.closed == [bob.id]
    assert stage.recorder.endings[-1] == LEASE_EXPIRED
    assert ends(ann) == [("bob", "gone"), ("bob", "off")]
    assert cid.ask(type="ping")["type"] == "pong"


def test_the_sweep_says_why_it_closes(stage: Stage) -> None:
    """A live client gets a notice that its connection has ended, before the close."""
    bob = stage.connect("bob")
    bob.expire()
    stage.recorder.open[bob.id] = bob.frames
    stage.sweep()

    assert [frame["code"] for frame in bob.frames] == ["connection_ended"]
    assert (stage.recorder.closed, stage.recorder.endings) == ([bob.id], [LEASE_EXPIRED])


HOUR = 3600 * 1_000_000


def test_clock_that_fell_back_keeps_nobody_online(stage: Stage, ann: Socket, raw: RawClient) -> None:
    """Leases of a clock an hour ahead are cut to one from now in every key, and end as any other does."""
    bob, lease = entered(stage, "bob"), Settings().lease_seconds * 1_000_000
    bob.vanish()
    bob.live_for(HOUR + lease)
    latest = time_of(raw) + lease
    assert min(held(raw, "bob", bob.id)) > latest

    assert (stage.sweep(), ends(ann)) == (0, [])
    assert max(held(raw, "bob", bob.id)) <= time_of(raw) + lease

    bob.expire()
    assert (stage.sweep(), ends(ann)) == (1, [("bob", "gone"), ("bob", "off")])


def test_clock_that_fell_back_ends_no_connection_that_lives(
    stage: Stage, ann: Socket, raw: RawClient
) -> None:
    """A frame renews every lease at once, though the last renewal was an hour ahead, and so does a sweep."""
    bob, lease = entered(stage, "bob"), Settings().lease_seconds * 1_000_000
    bob.live_for(HOUR + lease)
    raw.hset(keys.connection(bob.id), "renewed", time_of(raw) + HOUR)

    assert bob.ask(type="ping")["type"] == "pong"
    assert max(held(raw, "bob", bob.id)) <= time_of(raw) + lease
    assert (stage.sweep(), ends(ann)) == (0, [])
    assert bob.ask(type="ping")["type"] == "pong"


def test_lease_of_nothing_that_is_known_is_no_reason_to_be_online(
    stage: Stage, ann: Socket, raw: RawClient
) -> None:
    """The sweep ends a connection with too long a lease whose own record is lost."""
    bob = entered(stage, "bob")
    bob.live_for(24 * HOUR)
    bob.vanish()
    raw.delete(keys.connection(bob.id))

    assert [stage.sweep(), stage.sweep()] == [1, 0]
    assert ends(ann) == [("bob", "off")]


def test_a_sweep_of_many(stage: Stage, ann: Socket) -> None:
    """Each end is announced once, however many there are."""
    sockets = [entered(stage, f"user{number}") for number in range(120)]
    for socket in sockets:
        socket.expire()

    assert stage.sweep() == 120
    assert sorted(ends(ann)) == sorted((socket.user, "gone") for socket in sockets)


def test_a_connection_of_which_only_its_user_knows_is_ended_too(
    stage: Stage, ann: Socket, raw: RawClient
) -> None:
    """When the connection's own record is lost, the sweep still notifies its watchers."""
    bob = entered(stage, "bob")
    bob.expire()
    raw.delete(keys.connection(bob.id))

    assert [stage.sweep(), stage.sweep()] == [1, 0]
    assert ends(ann) == [("bob", "off")]


def test_one_that_fails_holds_up_no_other(stage: Stage, ann: Socket, raw: RawClient) -> None:
    """The other connections end; the failing one is found again, and ended when possible."""
    bob, cid = entered(stage, "bob"), entered(stage, "cid")
    bob.expire()
    cid.expire()
    kept: Any = raw.dump(keys.connection(bob.id))
    raw.set(keys.connection(bob.id), "no hash")

    assert [stage.sweep(), stage.sweep()] == [1, 0]
    assert ends(ann) == [("cid", "gone"), ("cid", "off")]

    raw.restore(keys.connection(bob.id), 0, kept, replace=True)
    assert [stage.sweep(), stage.sweep()] == [1, 0]
    assert ends(ann) == [("bob", "gone"), ("bob", "off"), ("cid", "gone"), ("cid", "off")]


@pytest.mark.parametrize("failing", range(8))
@pytest.mark.parametrize("by", ["disconnect", "sweep"])
def test_an_end_that_was_broken_off_is_made_good(
    stage: Stage, ann: Socket, monkeypatch: pytest.MonkeyPatch, by: str, failing: int
) -> None:
    """Whichever round trip to the store fails, everybody gets every notice in the end, once."""
    bob = entered(stage, "bob")
    bob.expire()
    store, left = stage.services._store, [failing]

    def guarded(call: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def fails(argument: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise StoreUnavailable
            return call(argument)

        return fails

    with monkeypatch.context() as patch:
        patch.setattr(store, "run", guarded(store.run))
        patch.setattr(store, "run_all", guarded(store.run_all))
        with contextlib.suppress(StoreUnavailable):
            stage.sweep() if by == "sweep" else bob.disconnected()
    stage.sweep()
    stage.sweep()

    assert ends(ann) == [("bob", "gone"), ("bob", "off")]


def test_a_store_that_is_gone_is_an_error(stage: Stage, valkey: Engine) -> None:
    """A sweep that cannot read the leases logs it."""
    valkey.stop()
    try:
        with pytest.raises(StoreUnavailable):
            stage.sweep()
    finally:
        valkey.start()


def test_user_who_returns_before_the_sweep_stays_online(stage: Stage, ann: Socket, raw: RawClient) -> None:
    """The end of a lease is not pushed if the user has returned by another connection."""
    old = entered(stage, "bob")
    old.expire()
    new = entered(stage, "bob")

    assert stage.sweep() == 1

    assert ends(ann) == []
    assert ann.ask(type="room.clients", room="lobby")["clients"] == ["ann", "bob"]
    new.close()
    assert ends(ann) == [("bob", "gone"), ("bob", "off")]
    assert stage.store.run(ChatConnections(NO_LEASE).detach("r-lobby", new.id)).handle == ""
