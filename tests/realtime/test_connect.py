"""Opening connections, and their ends."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

import pytest

import app
from chalicelib import services
from chalicelib.push_gateway import installed
from chalicelib.push_gateway.pusher import SESSION_ENDED
from chalicelib.schemas.realtime import SUBPROTOCOL
from chalicelib.services.values.tokens import digest_of
from chalicelib.store import keys
from chalicelib.store.realtime.connection import Connections
from chalicelib.store.realtime.user_connections import MAX_CONNECTIONS, TICKET_SECONDS
from tests.realtime.in_process import Door, Socket, event
from tests.servers.engines import Engine
from tests.store.app_requests import call


def code_of(answer: dict[str, object]) -> str:
    """Return the code of a refusal."""
    body = str(answer["body"])
    return str(json.loads(body)["code"])


def online(door: Door, user: str) -> bool:
    """Return whether a user is online."""
    return bool(door.rest("cyd", "GET", f"/v1/users/{user}/presence").body["online"])


def test_ticket_lets_in_once(door: Door) -> None:
    """A ticket opens one connection; used again it is refused with 401."""
    ticket = door.ticket("ann")

    first, second = door.knock(query={"ticket": ticket}), door.knock(query={"ticket": ticket})

    assert first == {"statusCode": 200}
    assert (second["statusCode"], code_of(second)) == (401, "not_authenticated")


def test_the_holder_of_connections_learns_whose_each_is(door: Door) -> None:
    """A listener learns the user of an opened connection, and nothing of a refused one."""
    heard: list[tuple[str, str]] = []
    installed.install_user_listener(lambda connection, user: heard.append((connection, user)))
    try:
        connection = door.enter("ann").connection
        door.knock(query={"ticket": "ticket_" + "x" * 43 + ".ann"})
    finally:
        installed.install_user_listener(None)

    assert heard == [(connection, "ann")]


def test_ticket_expires_after_thirty_seconds(door: Door, valkey: Engine) -> None:
    """A ticket works for 30 seconds, and is refused after that."""
    ticket = door.ticket("ann")
    key, node = keys.ticket("ann", digest_of(ticket).hex()), valkey.nodes[0]

    assert 0 < node.pttl(key) <= TICKET_SECONDS * 1000 == 30_000
    node.pexpire(key, 0)

    assert door.knock(query={"ticket": ticket})["statusCode"] == 401


@pytest.mark.parametrize(
    "shown", ["", "ticket_", "ticket_" + "x" * 43 + ".ann", "ticket_" + "x" * 43 + ".a:b"]
)
def test_ticket_of_nobody(door: Door, shown: str) -> None:
    """An invalid or unknown ticket is refused as a ticket, or as an invalid name."""
    answer = door.knock(query={"ticket": shown})

    assert answer["statusCode"] in {400, 401}
    assert answer["headers"]["Content-Type"] == "application/problem+json"


def test_ticket_of_another_is_not_used_up(door: Door) -> None:
    """A ticket with another user's name is refused, and still valid for its own."""
    ticket = door.ticket("ann")

    assert door.knock(query={"ticket": ticket.replace(".ann", ".bob")})["statusCode"] == 401
    assert door.knock(query={"ticket": ticket})["statusCode"] == 200


def test_bearer_token_replaces_a_ticket(door: Door) -> None:
    """A client that can set headers can send its token instead; a wrong token is refused."""
    good = door.knock(headers={"Authorization": f"Bearer {door.tokens['ann']}"})
    bad = door.knock(headers={"authorization": "Bearer parley_" + "x" * 43 + ".ann"})

    assert good == {"statusCode": 200}
    assert bad["statusCode"] == 401
    assert "WWW-Authenticate" in bad["headers"]


def test_connect_without_credentials_points_to_tickets(door: Door) -> None:
    """A connect without credentials is refused, and the error explains how to get a ticket."""
    assert code_of(door.knock()) == "not_authenticated"
    assert code_of(door.knock(query={"user": "zoe"})) == "not_authenticated"


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (SUBPROTOCOL, SUBPROTOCOL),
        ("parley.json", "parley.json"),
        (f"soap, parley.json, {SUBPROTOCOL}", SUBPROTOCOL),
        ("soap", None),
    ],
)
def test_only_an_offered_and_known_subprotocol_is_chosen(
    door: Door, offered: str, chosen: str | None
) -> None:
    """The subprotocol is one that the client offered and the server knows, otherwise none."""
    answer = door.knock(query={"ticket": door.ticket("ann")}, headers={"Sec-WebSocket-Protocol": offered})

    assert answer == {"statusCode": 200} | ({"headers": {"Sec-WebSocket-Protocol": chosen}} if chosen else {})


class TestOpen:
    """An open server."""

    @pytest.fixture
    def variables(self) -> dict[str, str]:
        """Open the server."""
        return {"PARLEY_AUTH": "open"}

    def test_name_without_account_connects_by_itself(self, door: Door) -> None:
        """A name without an account connects without a ticket; one with an account does not."""
        assert door.knock(query={"user": "Zoe"}) == {"statusCode": 200}
        assert door.knock(query={"user": "ann"})["statusCode"] == 401

    def test_ticket_beats_name(self, door: Door) -> None:
        """A wrong ticket is refused, whatever name comes with it."""
        assert door.knock(query={"user": "zoe", "ticket": "no"})["statusCode"] == 401

    def test_ticket_for_a_name(self, door: Door) -> None:
        """A name without an account gets tickets too."""
        answer = call("POST", "/v1/realtime/ticket", body={}, X_Parley_User="J%C3%BCrgen")

        assert answer.status == 201
        assert door.knock(query={"ticket": answer.body["ticket"]}) == {"statusCode": 200}

    def test_name_that_gets_an_account(self, door: Door) -> None:
        """A connection by name alone ends as soon as the name has an account."""
        answer = app.socket_connect(event("CONNECT", "spy", query={"user": "zoe"}), None)
        spy = Socket(door.recorder, "spy")
        assert (answer, spy.hello()[-1]["type"]) == ({"statusCode": 200}, "ready")

        call("POST", "/v1/register", body={"handle": "zoe", "password": "correct horse"})

        assert door.recorder.closed == ["spy"]
        door.rest("ann", "POST", "/v1/chats/ann:zoe/messages", {"text": "for zoe"})
        assert [frame["code"] for frame in spy.received()] == ["connection_ended"]
        assert spy.send({"type": "pull", "chat": "ann:zoe"})[0]["code"] == "connection_ended"

    def test_ticket_for_a_name_that_gets_an_account(self, door: Door) -> None:
        """A ticket for a name alone is invalid once the name has an account."""
        ticket = call("POST", "/v1/realtime/ticket", body={}, X_Parley_User="zoe").body["ticket"]

        call("POST", "/v1/register", body={"handle": "zoe", "password": "correct horse"})

        assert door.knock(query={"ticket": ticket})["statusCode"] == 401

    def test_url_of_a_room(self, door: Door) -> None:
        """The URL for joining a room has a percent-encoded ticket, which opens that room."""
        door.rest("ann", "POST", "/ws/createRoom", {"id": "lobby", "name": "Lobby"})

        url = call("GET", "/ws/joinRoom/lobby", X_Parley_User="J%C3%BCrgen").body["url"]
        ticket = unquote(url.partition("?ticket=")[2])

        assert url.isascii()
        assert ticket.endswith(".j\u00fcrgen")
        assert door.knock(query={"ticket": ticket, "room": "cellar"})["statusCode"] == 400


class TestElsewhere:
    """An open server that is not a laptop."""

    @pytest.fixture
    def variables(self) -> dict[str, str]:
        """Run as on AWS."""
        return {"PARLEY_AUTH": "open", "PARLEY_STAGE": "prod", "PARLEY_OPEN_HOSTS": "chat.example.com"}

    def test_name_alone_is_refused_on_a_closed_server(self, door: Door) -> None:
        """A closed server refuses a name without a token."""
        assert door.knock(query={"user": "zoe"})["statusCode"] == 401


class TestWithoutSockets:
    """A server without WebSockets."""

    @pytest.fixture
    def variables(self) -> dict[str, str]:
        """Unset the WebSocket URL."""
        return {"PARLEY_SOCKET_URL": ""}

    def test_server_without_sockets_gives_no_tickets(self, door: Door) -> None:
        """A server without WebSockets gives no tickets, and joining a room gives no URL."""
        answer = door.rest("ann", "POST", "/v1/realtime/ticket", {})
        door.rest("bob", "POST", "/ws/createRoom", {"id": "lobby", "name": "Lobby"})

        assert (answer.status, answer.body["code"]) == (503, "realtime_unavailable")
        assert door.rest("ann", "GET", "/ws/joinRoom/lobby").body["url"] is None


class TestLimited:
    """A server that allows few failures."""

    @pytest.fixture
    def variables(self) -> dict[str, str]:
        """Allow some attempts, of registrations too."""
        return {"PARLEY_RATE_LIMITS": "read=0,write=0,search=0,auth=5,frame=0"}

    def test_repeated_bad_tickets_block_their_sender(self, door: Door) -> None:
        """A client that repeats bad tickets is refused for a while; others still connect."""
        answers = [door.knock(query={"ticket": "no"}, address="192.0.2.1") for _ in range(7)]

        assert [answer["statusCode"] for answer in answers] == [401] * 5 + [429] * 2
        assert "Retry-After" in answers[-1]["headers"]
        assert door.knock(query={"ticket": door.ticket("ann")}, address="192.0.2.1")["statusCode"] == 200


def test_user_has_a_maximum_number_of_connections(door: Door) -> None:
    """The connection beyond a user's maximum is refused."""
    for _ in range(MAX_CONNECTIONS):
        door.enter("ann", ready=False)

    answer = door.knock(query={"ticket": door.ticket("ann")})

    assert (answer["statusCode"], code_of(answer)) == (429, "too_many_requests")


def test_room_of_another_ticket(door: Door) -> None:
    """A ticket that is bound to a room opens no other; one that is not opens the path's."""
    bound, free = door.ticket("ann", room="lobby"), door.ticket("ann")

    assert door.knock(query={"ticket": bound, "room": "cellar"})["statusCode"] == 400
    assert door.knock(query={"ticket": free, "room": "cellar"})["statusCode"] == 200


def test_path_that_is_no_room(door: Door) -> None:
    """A path that cannot name a room is refused, and leaves no connection."""
    answer = door.knock(query={"ticket": door.ticket("ann"), "room": "no room"})

    assert (answer["statusCode"], code_of(answer)) == (404, "chat_not_found")


def test_each_connection_event_logs_a_line_without_secrets(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    """Each event logs a line with its outcome, and without a ticket, token or text."""
    connection, ticket = "local1-log", door.ticket("ann")

    app.socket_connect(event("CONNECT", connection, query={"ticket": ticket}), None)
    socket = Socket(door.recorder, connection)
    socket.hello()
    socket.send({"type": "send", "chat": "ann:bob", "id": "1", "text": "a secret"})
    socket.send('{"type": "a secret"}')
    socket.leave()

    logged: list[dict[str, Any]] = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    lines = [line for line in logged if line["event"].startswith("socket")]

    assert [(line["event"], line.get("type"), line["status"]) for line in lines] == [
        ("socket_connect", None, 200),
        ("socket_frame", "hello", 200),
        ("socket_frame", "send", 200),
        ("socket_frame", None, 400),
        ("socket_disconnect", None, 200),
    ]
    assert lines[3]["code"] == "bad_request"
    assert not any(word in str(lines) for word in (ticket, "secret", door.tokens["ann"]))


def test_one_device_of_two(door: Door) -> None:
    """The end of one connection leaves the user's others alone; the end of the last makes them offline."""
    phone, laptop = door.enter("ann"), door.enter("ann")

    phone.leave()
    phone.leave()
    bob = door.enter("bob")
    bob.send({"type": "send", "chat": "ann:bob", "id": "1", "text": "still there?"})

    assert [frame["type"] for frame in laptop.received()] == ["message"]
    assert phone.received() == []
    assert online(door, "ann")
    laptop.leave()
    assert not online(door, "ann")


def test_push_removes_only_the_gone_connection(door: Door) -> None:
    """A connection that a push finds gone is removed, and no other."""
    gone, there = door.enter("ann"), door.enter("ann")
    door.recorder.vanished.add(gone.connection)

    door.enter("bob").send({"type": "send", "chat": "ann:bob", "id": "1", "text": "hello"})

    assert len(there.received()) == 1
    assert services.current()._store.run(sockets().attachments(gone.connection)) is None
    assert services.current()._store.run(sockets().attachments(there.connection)) is not None


def test_many_that_are_gone(door: Door) -> None:
    """Connections found gone during a removal are removed as well."""
    door.rest("ann", "POST", "/ws/createRoom", {"id": "lobby", "name": "Lobby"})
    first, *others = there = [door.enter(user, room="lobby") for user in ("ann", "bob", "cyd")]
    door.recorder.vanished.update(socket.connection for socket in others)

    first.leave()

    left = [services.current()._store.run(sockets().attachments(one.connection)) for one in there]
    assert left == [None, None, None]


def sockets() -> Connections:
    """Return the store's connections."""
    return services.current()._stores.connections


ENDINGS = {
    "logging out": lambda door: door.rest("ann", "POST", "/v1/logout"),
    "ending all sessions": lambda door: door.rest("ann", "DELETE", "/v1/sessions"),
    "deleting the account": lambda door: door.rest("ann", "DELETE", "/v1/users/me"),
}


@pytest.mark.parametrize("ready", [True, False])
@pytest.mark.parametrize("end", ENDINGS.values(), ids=ENDINGS)
def test_end_of_a_session_is_pushed_before_the_close(
    door: Door, end: Callable[[Door], object], ready: bool
) -> None:
    """Any end of a session is pushed to its connections, even before a hello, and closes them with 4401."""
    socket = door.enter("ann", ready=ready)
    end(door)
    (frame,) = socket.received()
    assert (frame["type"], frame["status"], frame["code"]) == ("error", 401, "connection_ended")
    assert frame["detail"] == "The session of this connection has ended. Log in again."
    assert frame.get("ref") is None
    assert (door.recorder.closed, door.recorder.endings) == ([socket.connection], [SESSION_ENDED])


def test_end_of_a_session_is_pushed_as_protobuf(door: Door) -> None:
    """A protobuf connection gets it as protobuf."""
    ticket = door.ticket("ann")
    door.knock(query={"ticket": ticket}, headers={"Sec-WebSocket-Protocol": SUBPROTOCOL})
    door.rest("ann", "POST", "/v1/logout")
    (connection,) = door.recorder.closed
    (frame,) = door.recorder.frames[connection]
    assert not frame.startswith(b"{")
    assert b"connection_ended" in base64.b64decode(frame)


def test_logout_closes_only_its_own_sessions_connections(door: Door) -> None:
    """A logout closes the connections of its session and no others; presence follows."""
    one = door.enter("ann")
    first = door.tokens["ann"]
    login = call("POST", "/v1/login", body={"handle": "ann", "password": "correct horse"})
    door.tokens["ann"] = login.body["token"]
    other = door.enter("ann")

    assert door.rest("ann", "POST", "/v1/logout").status == 202

    assert door.recorder.closed == [other.connection]
    assert one.send({"type": "ping"})[0]["type"] == "pong"
    door.tokens["ann"] = first
    assert door.rest("ann", "DELETE", "/v1/sessions").status == 204
    assert door.recorder.closed == [other.connection, one.connection]
    assert not online(door, "ann")


def test_logout_while_connecting(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """A session that ends between the two writes of its connection leaves none, and the connect fails."""
    ticket, opening = door.ticket("ann"), Connections.open

    def late(self: Connections, *facts: Any, **more: Any) -> Any:
        assert door.rest("ann", "POST", "/v1/logout").status == 202
        return opening(self, *facts, **more)

    monkeypatch.setattr(Connections, "open", late)
    answer = app.socket_connect(event("CONNECT", "late", query={"ticket": ticket}), None)

    assert answer["statusCode"] == 401
    assert Socket(door.recorder, "late").send({"type": "ping"})[0]["code"] == "connection_ended"


def test_ending_a_session_closes_its_connections(door: Door) -> None:
    """Ending one session by its id closes its connections."""
    socket = door.enter("ann")
    session = door.rest("ann", "GET", "/v1/sessions").body["sessions"][0]["id"]

    assert door.rest("ann", "DELETE", f"/v1/sessions/{session}").status == 204

    assert door.recorder.closed == [socket.connection]


def test_changed_password_closes_other_sessions_connections(door: Door) -> None:
    """A changed password closes the connections of the other sessions, not of the caller's."""
    other = door.enter("ann")
    login = call("POST", "/v1/login", body={"handle": "ann", "password": "correct horse"})
    door.tokens["ann"] = login.body["token"]
    own = door.enter("ann")

    body = {"password": "correct horse", "new_password": "battery staple"}
    assert door.rest("ann", "PUT", "/v1/users/me/password", body).status == 204

    assert door.recorder.closed == [other.connection]
    assert own.send({"type": "ping"})[0]["type"] == "pong"


def test_deleted_account_loses_its_connections(door: Door) -> None:
    """The connections of a deleted account are closed, and their late frames refused."""
    socket = door.enter("ann")

    assert door.rest("ann", "DELETE", "/v1/users/me").status == 204

    assert door.recorder.closed == [socket.connection]
    assert [frame["code"] for frame in socket.received()] == ["connection_ended"]
    (answer,) = socket.send({"type": "send", "chat": "ann:bob", "id": "1", "text": "hello"})
    assert (answer["type"], answer["status"], answer["code"]) == ("error", 401, "connection_ended")


def test_frame_of_an_unknown_connection_closes_it(door: Door) -> None:
    """A frame from an unknown connection is refused, and the connection closed."""
    (answer,) = Socket(door.recorder, "local1-nobody").send({"type": "ping", "ref": "7"})

    assert (answer["code"], answer["ref"]) == ("connection_ended", "7")
    assert door.recorder.closed == ["local1-nobody"]
