"""Clients that vanish without a close, over real connections of two workers."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.deployed.client import Api, client_of
from tests.servers.gateway import gateway

pytestmark = pytest.mark.long

LEASE_SECONDS = 5
PAUSE_SECONDS = 0.2
DEADLINE_SECONDS = 60


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server whose leases are short."""
    variables = {"PARLEY_LEASE_SECONDS": str(LEASE_SECONDS)}
    with gateway(env=variables, args=("--workers", "2", "--sweep-seconds", "0.2")) as running:
        yield running


@pytest.fixture
def api(url: str) -> Iterator[Api]:
    """A client of that server."""
    yield from client_of(url)


class Client:
    """A user's connection; type and fields of a frame are given as keywords."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self.frames: list[dict[str, Any]] = []
        self.ask("ready", type="hello")

    def ask(self, answer: str, **frame: Any) -> dict[str, Any]:
        """Send a frame, and return the next one of a type."""
        self._socket.send(json.dumps(frame))
        while self.take(DEADLINE_SECONDS)["type"] != answer:
            pass
        return self.frames[-1]

    def take(self, seconds: float) -> dict[str, Any]:
        """Wait for the next frame, and return it; raises TimeoutError."""
        self.frames.append(json.loads(self._socket.recv(seconds)))
        return self.frames[-1]

    def ends(self) -> list[tuple[str, str]]:
        """Return the users that this one was notified of as gone from the room, or offline."""
        gone = [(frame["user"], "gone") for frame in self.frames if frame.get("event") == "gone"]
        rows = [row for frame in self.frames if frame["type"] == "presence" for row in frame["users"]]
        return sorted([*gone, *((row["user"], "off") for row in rows if not row["online"])])


@contextlib.contextmanager
def client(api: Api, user: str) -> Iterator[Client]:
    """Open a connection on an open server, and say hello."""
    made = api.call("POST", "/v1/realtime/ticket", user=user, json={})
    assert made.status_code == 201, made.text
    ticket = made.json()
    url = f"{ticket['url']}?{urlencode({'ticket': ticket['ticket']})}"
    with connect(url, open_timeout=DEADLINE_SECONDS) as socket:
        yield Client(socket)


def test_a_client_that_vanishes_is_missed(api: Api) -> None:
    """A client that keeps its connection silent: the others are notified once, and it is closed."""
    assert (
        api.call("POST", "/ws/createRoom", user="ann", json={"id": "hall", "name": "Hall"}).status_code == 200
    )
    with client(api, "ann") as ann, client(api, "bob") as bob:
        for one in (ann, bob):
            one.ask("room", type="room.join", room="hall")
        ann.ask("presence", type="watch", users=["bob"])

        while len(ann.ends()) < 2:
            ann.ask("pong", type="ping")  # which renews ann's own lease
            with contextlib.suppress(TimeoutError):
                ann.take(PAUSE_SECONDS)
        with contextlib.suppress(ConnectionClosed):
            while bob.take(DEADLINE_SECONDS):
                pass

        assert ann.ask("room", type="room.clients", room="hall")["clients"] == ["ann"]
        assert ann.ends() == [("bob", "gone"), ("bob", "off")]
        assert not api.call("GET", "/v1/users/bob/presence", user="ann").json()["online"]


def test_an_old_socket_that_closes_late(api: Api) -> None:
    """A user who has opened a new connection stays online and reachable when the old one has closed."""
    made = api.call("POST", "/ws/createRoom", user="ann", json={"id": "den", "name": "Den"})
    assert made.status_code == 200
    with client(api, "ann") as ann, contextlib.ExitStack() as old:
        for one in (ann, old.enter_context(client(api, "cid"))):
            one.ask("room", type="room.join", room="den")
        with client(api, "cid") as new:
            ann.ask("presence", type="watch", users=["cid"])
            old.close()
            while not ann.ends():
                ann.take(DEADLINE_SECONDS)
            ann.ask("ack", type="send", chat="ann:cid", id="1", text="still there?")
            assert new.ask("message", type="ping")["text"] == "still there?"
            assert api.call("GET", "/v1/users/cid/presence", user="ann").json()["online"]
            ann.ask("pong", type="ping")
            assert ann.ends() == [("cid", "gone")]
