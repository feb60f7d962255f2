"""Tickets over HTTP, and the connections that they open."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.deployed.client import Api
from tests.deployed.people import People, Person
from tests.servers.gateway import gateway

SECONDS = 60.0


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((), id="direct"),
        pytest.param(("--push-by-wire", "1"), id="by wire", marks=pytest.mark.long),
    ],
)
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A closed server of several workers, which push directly or by the management API."""
    env = {"PARLEY_AUTH": "required", "PARLEY_RATE_LIMITS": "read=0,write=0,auth=0,search=0"}
    with gateway(env=env, args=("--workers", "3", *request.param)) as running:
        yield running


@pytest.fixture
def pair(people: People) -> tuple[Person, Person]:
    """Two users."""
    return people.new(), people.new()


def ticket(api: Api, person: Person, **body: Any) -> dict[str, Any]:
    """Get a ticket."""
    answer = api.call("POST", "/v1/realtime/ticket", headers=person.bearer, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


@contextlib.contextmanager
def opened(url: str) -> Iterator[ClientConnection]:
    """Open a connection, and say hello."""
    with connect(url, open_timeout=SECONDS) as socket:
        say(socket, type="hello")
        assert until(socket, "ready")
        yield socket


def enter(api: Api, person: Person) -> contextlib.AbstractContextManager[ClientConnection]:
    """Open a connection with a new ticket."""
    got = ticket(api, person)
    return opened(f"{got['url']}?ticket={got['ticket']}")


def say(socket: ClientConnection, **frame: Any) -> None:
    """Send a frame."""
    socket.send(json.dumps(frame))


def until(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Read up to a frame of a type, and return it."""
    while True:
        frame: dict[str, Any] = json.loads(socket.recv(SECONDS))
        if frame["type"] == kind:
            return frame


def test_ticket_names_the_url_and_is_new_each_time(api: Api, pair: tuple[Person, Person]) -> None:
    """A logged-in user gets a ticket with the WebSocket's URL, a new one each time."""
    first, second = ticket(api, pair[0]), ticket(api, pair[0])

    assert first["url"].startswith("ws://127.0.0.1:")
    assert first["ticket"] != second["ticket"]
    assert first["expires_at"].endswith("Z")
    refused = api.call("POST", "/v1/realtime/ticket", json={})
    assert (refused.status_code, refused.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("room", ["no room", "", "x" * 65])
def test_ticket_for_no_room(api: Api, pair: tuple[Person, Person], room: str) -> None:
    """An invalid room is refused before there is a ticket."""
    answer = api.call("POST", "/v1/realtime/ticket", headers=pair[0].bearer, json={"room": room})

    assert answer.status_code in {400, 404}


def test_frames_cross_between_workers(api: Api, pair: tuple[Person, Person]) -> None:
    """A message sent on one connection arrives on the other user's, whichever workers hold them."""
    ann, bob = pair
    chat = ":".join(sorted((ann.handle, bob.handle)))
    with enter(api, ann) as first, enter(api, bob) as second, enter(api, bob) as third:
        say(first, type="send", chat=chat, id="1", text="hello", ref="a")

        assert until(first, "ack")["ref"] == "a"
        for socket in (second, third):
            message = until(socket, "message")
            assert (message["text"], message["sender"], message["seq"]) == ("hello", ann.handle, 1)
        say(second, type="read", chat=chat, seq=1)
        assert until(first, "receipt") == {"type": "receipt", "chat": chat, "user": bob.handle, "read": 1}


def test_used_ticket_is_refused_with_a_problem(api: Api, pair: tuple[Person, Person]) -> None:
    """A used ticket is refused with 401, and the answer is a problem."""
    got = ticket(api, pair[0])
    url = f"{got['url']}?ticket={got['ticket']}"
    with opened(url), pytest.raises(InvalidStatus) as refused, connect(url, open_timeout=SECONDS):
        pass

    answer = refused.value.response
    assert answer.status_code == 401
    assert json.loads(answer.body or b"")["code"] == "not_authenticated"


def test_room_url_opens_a_connection_inside_the_room(api: Api, pair: tuple[Person, Person]) -> None:
    """The URL that joining a room gives opens a connection inside it; the others there are notified."""
    ann, bob = pair
    room = f"room-{ann.handle}"
    assert api.call("POST", "/ws/createRoom", headers=ann.bearer, json={"id": room, "name": "R"}).is_success
    urls = [api.call("GET", f"/ws/joinRoom/{room}", headers=one.bearer).json()["url"] for one in pair]
    with opened(urls[0]) as first:
        assert until(first, "room")["clients"] == [ann.handle]
        with opened(urls[1]) as second:
            assert until(second, "room")["clients"] == sorted([ann.handle, bob.handle])
            assert until(first, "room")["notice"] == "a new user has joined the room"
        gone = until(first, "room")
        assert (gone["event"], gone["user"], gone["notice"]) == ("gone", bob.handle, "user left the chat")


def test_logout_closes_the_sessions_connections_on_every_worker(
    api: Api, pair: tuple[Person, Person]
) -> None:
    """A logout closes the session's connections on every worker, with a reason."""
    ann, bob = pair
    with enter(api, ann) as one, enter(api, ann) as other, enter(api, bob) as third:
        assert api.call("POST", "/v1/logout", headers=ann.bearer).status_code == 202

        for socket in (one, other):
            assert until(socket, "error")["code"] == "connection_ended"
            with pytest.raises(ConnectionClosed):
                socket.recv(SECONDS)
        say(third, type="ping")
        assert until(third, "pong")


def test_ticket_is_kept_by_nobody(people: People, url: str) -> None:
    """The answer with a ticket must not be cached."""
    person = people.new()
    answer = httpx.post(f"{url}/v1/realtime/ticket", headers=person.bearer, json={})

    assert answer.headers["Cache-Control"] == "no-store"
