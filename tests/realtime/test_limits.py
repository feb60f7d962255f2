"""Limits of frames: they take from what their user may do by REST, however many sockets send them."""

from __future__ import annotations

import math
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib import services
from chalicelib.schemas.chats import NewChat
from chalicelib.services.auth.caller import Caller
from chalicelib.store import keys
from chalicelib.store.accounts.sessions import Sessions
from tests.realtime.in_process import Door, Socket
from tests.servers.engines import Engine

CHAT, NOTES, TICKET = "ann:bob", "/v1/chats/ann:ann/messages", "/v1/realtime/ticket"
SOCKETS = 30
WRITES, READS = 40, 60
"""Requests a minute of a session."""


class Elapsed:
    """Counts what a limit gives back while a test runs."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def most(self, limit: int) -> int:
        """Return the number of requests that may have passed by now of an unused limit a minute."""
        return limit + math.ceil((time.monotonic() - self._began) * limit / 60)


def saying(number: int) -> dict[str, Any]:
    """Return a frame that sends a message."""
    return {"type": "send", "chat": CHAT, "id": f"id-{number}", "text": f"text {number}"}


def stored(door: Door) -> int:
    """Return the number of messages in the chat."""
    return int(door.rest("bob", "GET", f"/v1/chats/{CHAT}/messages").body["head"])


def use_up_writes(door: Door) -> int:
    """Use up ann's writes by REST; return the number of accepted requests."""
    return sum(1 for _ in iter(lambda: door.rest("ann", "POST", TICKET, {}).status, 429))


def passed(socket: Socket, frames: list[dict[str, Any]]) -> int:
    """Return the number of accepted frames; the others got the limit's error, with a wait."""
    answers = [answer for frame in frames for answer in socket.send(frame)]
    refused = [answer for answer in answers if answer.get("code") == "too_many_requests"]
    assert all(0 < answer["retry_after"] <= 120 for answer in refused)
    return len(frames) - len(refused)


@pytest.fixture
def variables() -> dict[str, str]:
    """Low limits of writes and reads, none of frames."""
    return {"PARLEY_RATE_LIMITS": f"read={READS},write={WRITES},search=0,auth=0,frame=0"}


class TestSends:
    """Messages by many connections."""

    def test_30_sockets_store_no_more_than_rest(self, door: Door) -> None:
        """One session can send over 30 connections as much as by REST, which then has nothing left."""
        watch = Elapsed()
        sockets = [door.enter("ann", ready=False) for _ in range(SOCKETS)]
        with ThreadPoolExecutor(SOCKETS) as pool:
            list(pool.map(lambda number: sockets[number % SOCKETS].send(saying(number)), range(WRITES * 5)))

        tickets = use_up_writes(door)
        assert 0 < stored(door) <= watch.most(WRITES) - SOCKETS - tickets

    def test_other_sessions_and_other_users_have_their_own(self, door: Door) -> None:
        """A second session of the user has as much as the first, a third nothing, and bob all of his."""
        watch = Elapsed()
        tokens = [door.tokens["ann"], *(door.log_in("ann") for _ in range(2))]
        sockets = []
        for token in tokens:
            door.tokens["ann"] = token
            sockets.append(door.enter("ann"))
        bob = door.enter("bob")

        frames = [{"type": "typing", "chat": CHAT, "on": True}] * WRITES * 2
        counts = [passed(socket, frames) for socket in sockets]
        assert all(count <= watch.most(WRITES) for count in counts)
        assert sum(counts) <= watch.most(2 * WRITES)
        assert bob.send(saying(1))[0]["type"] == "ack"


class TestUsedUp:
    """A server with so few requests that none comes back while a test runs."""

    @pytest.fixture
    def variables(self) -> dict[str, str]:
        """Allow little more than it takes to connect."""
        return {"PARLEY_RATE_LIMITS": "read=3,write=2,search=0,auth=0,frame=0"}

    def test_a_new_socket_starts_with_what_is_left(self, door: Door) -> None:
        """A limit used up by REST has nothing left on a connection either, and the other way round."""
        socket = door.enter("ann")
        use_up_writes(door)

        (answer,) = socket.send({**saying(1), "ref": "7"})
        assert (answer["code"], answer["ref"]) == ("too_many_requests", "7")
        assert 0 < answer["retry_after"] <= 60
        assert stored(door) == 0

    def test_a_frame_of_an_ended_session_is_refused_as_that(self, door: Door, valkey: Engine) -> None:
        """The error of an ended session comes before that of a used-up limit."""
        socket = door.enter("ann")
        use_up_writes(door)
        services.current()._store.run(Sessions().end_all("ann"))
        valkey.nodes[0].hset(keys.connection(socket.connection), "renewed", 0)

        assert [answer.get("code") for answer in socket.send(saying(1))] == ["connection_ended"]
        assert door.recorder.closed == [socket.connection]

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("send", {"chat": CHAT, "id": "i", "text": "hi"}),
            ("received", {"chat": CHAT, "seq": 1}),
            ("read", {"chat": CHAT, "seq": 1}),
            ("typing", {"chat": CHAT, "on": True}),
            ("signal", {"to": "bob", "call": "1", "kind": "hangup"}),
            ("room.join", {"room": "none"}),
            ("room.leave", {"room": "none"}),
        ],
    )
    def test_of_the_class_write(self, door: Door, kind: str, fields: dict[str, Any]) -> None:
        """Frames that write or go to others are refused when no write is left; reads are not."""
        socket = door.enter("ann")
        use_up_writes(door)

        (answer,) = socket.send({"type": kind, **fields})
        assert answer["code"] == "too_many_requests"
        assert socket.send({"type": "pull", "chat": "ann:ann"})[0]["type"] == "page"
        assert socket.send({"type": "ping"})[0]["type"] == "pong"

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("hello", {}),
            ("pull", {"chat": CHAT}),
            ("watch", {"users": []}),
            ("room.clients", {"room": "none"}),
        ],
    )
    def test_of_the_class_read(self, door: Door, kind: str, fields: dict[str, Any]) -> None:
        """Frames that read are refused when no read is left; writes are not."""
        socket = door.enter("ann")
        while door.rest("ann", "GET", NOTES).status == 200:
            pass

        (answer,) = socket.send({"type": kind, **fields})
        assert answer["code"] == "too_many_requests"
        assert socket.send(saying(1))[0]["type"] == "ack"


class TestCosts:
    """The cost of frames."""

    def test_a_hello_counts_by_its_rows(self, door: Door, valkey: Engine) -> None:
        """A hello that sends 30 chats and counts their unread messages costs twice three reads more."""
        socket = door.enter("ann")
        none = self._cost_of_hello(door, socket, valkey)
        for number in range(30):
            room = NewChat(kind="room", id=f"room{number}", name="Room")
            services.current().chats.create(Caller(services.current()._store, "ann"), room)

        assert none == 1
        assert self._cost_of_hello(door, socket, valkey) == 1 + 3 + 3

    def test_a_hello_counts_by_what_it_checks(self, door: Door, valkey: Engine) -> None:
        """A hello that checks 40 cursors costs four reads more than one that checks none."""
        socket = door.enter("ann")
        check = [{"chat": f"ann:n{number}", "cursor": "1.1.1"} for number in range(40)]

        assert self._cost_of_hello(door, socket, valkey, check=check) == 1 + 4

    @staticmethod
    def _cost_of_hello(door: Door, socket: Socket, valkey: Engine, **fields: Any) -> int:
        """Return as how many reads a hello counted: by how much longer the user's limit is in use."""
        for _ in range(10):  # so many that the limit is in use until after the hello
            door.rest("ann", "GET", NOTES)
        before: Any = valkey.nodes[0].hget(keys.user_limits("ann"), "read")
        socket.hello(**fields)
        after: Any = valkey.nodes[0].hget(keys.user_limits("ann"), "read")
        return (int(after) - int(before)) // (60_000_000 // (2 * READS))

    def test_a_watch_counts_by_its_users(self, door: Door) -> None:
        """A limit of 60 reads does not allow a hundred watches of a hundred users."""
        socket = door.enter("ann")
        users = [f"user{number}" for number in range(100)]
        watch = Elapsed()
        watches = passed(socket, [{"type": "watch", "users": users}] * 20)

        assert 0 < watches <= watch.most(READS) // 11

    def test_a_broken_frame_takes_from_no_class(self, door: Door) -> None:
        """A broken frame counts only towards its connection's frames."""
        socket = door.enter("ann")
        for _ in range(2 * READS):
            assert socket.send('{"type": "send"}')[0]["code"] == "bad_request"

        assert socket.send(saying(1))[0]["type"] == "ack"
