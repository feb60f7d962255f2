"""Connecting, staying connected, and reconnecting."""

from __future__ import annotations

import asyncio
import socket
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.apidocs.asyncapi_texts import PING_SECONDS
from chalicelib.config import Settings as ServerSettings
from chalicelib.store.realtime.connection import RENEWALS
from parley_client import (
    AsyncClient,
    Closed,
    Connected,
    Disconnected,
    Message,
    NotAuthenticated,
    Problem,
    Settings,
    Signal,
    login,
    register,
)
from parley_client import connection as connections
from parley_client.backoff import Backoff
from parley_client.entrance import Entrance
from parley_client.liveness import PROBE_SECONDS, UNANSWERED_MS, Sleep
from parley_client.overlap import Overlap
from parley_client.rest import Rest
from tests.client.conftest import SECONDS, Making, messages, take
from tests.client.scripted_server import ScriptedServer
from tests.clock import Clock

pytestmark = pytest.mark.anyio
CHAT = "bob:me"
SIGNAL = {"type": "signal", "from": "bob", "call": "c", "kind": "ring"}


def query(target: str) -> dict[str, list[str]]:
    """Return the query of a handshake's path."""
    return parse_qs(urlsplit(target).query)


# --- in ----------------------------------------------------------------------------------------------------


async def test_name_of_an_open_server(server: ScriptedServer, making: Making) -> None:
    """A name goes in the query, percent-encoded."""
    await (await making(user="zoë &")).ready()
    assert query(server.handshakes[0][0]) == {"user": ["zoë &"]}


async def test_ticket_opens_the_socket_without_showing_the_token(
    server: ScriptedServer, making: Making
) -> None:
    """The client exchanges its token for a ticket, and connects by it; the handshake has no token."""
    await (await making(token="parley_t.me")).ready()
    target, headers = server.handshakes[0]
    assert list(query(target)) == ["ticket"]
    assert "Authorization" not in headers
    assert server.requests[0][2]["authorization"] == "Bearer parley_t.me"


async def test_token_in_a_header(server: ScriptedServer, making: Making) -> None:
    """Without tickets the token goes in a header of the handshake."""
    await (await making(token="parley_t.me", ticket=False, socket_url=server.socket_url)).ready()
    target, headers = server.handshakes[0]
    assert (query(target), headers["Authorization"]) == ({}, "Bearer parley_t.me")
    assert server.requests == []


async def test_late_ticket_is_replaced(server: ScriptedServer, making: Making) -> None:
    """A 401 of the handshake leads to one new ticket."""
    server.refusals.append((401, {}))
    await (await making(token="parley_t.me")).ready()
    tickets = [query(target)["ticket"][0] for target, _ in server.handshakes]
    assert len(set(tickets)) == 2


async def test_stops_at_a_401_that_stays(server: ScriptedServer, making: Making) -> None:
    """If a new ticket fails too, the client ends: iterating, sends and `ready` raise."""
    server.refusals.extend([(401, {})] * 2)
    client = await making(token="parley_t.me")
    with pytest.raises(NotAuthenticated):
        await take(client, Connected)
    with pytest.raises(NotAuthenticated):
        await client.ready()
    with pytest.raises(NotAuthenticated):
        await client.send(CHAT, "x")
    assert len(server.handshakes) == 2


async def test_stops_when_the_session_has_ended(server: ScriptedServer, making: Making) -> None:
    """A token that gets no ticket any more ends the client, with the server's error."""
    client = await making(token="parley_t.me")
    await take(client, Connected)
    problem = {"code": "not_authenticated", "title": "", "detail": "The session has ended."}
    server.http_errors.extend([(401, {}, problem)] * 2)
    await server.peers[0].socket.close(1001, "logged out")
    assert "1001 logged out" in (await take(client, Disconnected)).reason
    with pytest.raises(NotAuthenticated, match=r"The session has ended\."):
        await take(client, Connected)


async def test_retry_after_is_honoured(server: ScriptedServer, making: Making) -> None:
    """The client does not reconnect before the server's Retry-After."""
    server.refusals.append((429, {"Retry-After": "1"}))
    client = await making()
    assert 1.0 <= (await take(client, Disconnected)).retry_in <= 1.01
    await take(client, Connected)


async def test_rest_stands_in_for_a_socket(server: ScriptedServer, making: Making) -> None:
    """Without a WebSocket, messages come by REST, each once, and sends go there at once."""
    server.refusals.append((503, {"Retry-After": "3600"}))
    client = await making(poll_seconds=0.01, fallback_seconds=3600)
    server.append(CHAT, "one")
    assert await messages(client, 1) == [(CHAT, 1, "one")]
    assert (await client.send(CHAT, "two")).seq == 2
    server.append(CHAT, "three")
    assert await messages(client, 2) == [(CHAT, 2, "two"), (CHAT, 3, "three")]
    assert server.peers == []


async def test_no_polling_where_it_is_not_wanted(server: ScriptedServer, making: Making) -> None:
    """Without poll_seconds nothing is requested by REST; the WebSocket brings everything."""
    server.refusals.extend([(503, {})] * 3)
    server.append(CHAT, "one")
    client = await making(poll_seconds=None)
    assert await messages(client, 1) == [(CHAT, 1, "one")]
    assert server.requests == []


async def test_server_that_is_back_is_tried_at_once(server: ScriptedServer, making: Making) -> None:
    """A server that answers REST again after a failure is used without further waiting."""
    server.refusals.append((503, {}))
    problem = {"code": "store_unavailable", "title": "", "detail": "Wait."}
    server.http_errors.extend([(503, {}, problem)] * 2)
    client = await making(poll_seconds=0.01, backoff_base=1e6, backoff_cap=1e6)
    await take(client, Connected)


async def test_registering_and_logging_in(server: ScriptedServer) -> None:
    """Register and log in give a token; a wrong password is NotAuthenticated, with the server's error."""
    assert (await register(server.url, "me", "long enough")).token == "parley_x.me"
    assert (await login(server.url, "me", "long enough")).handle == "me"
    problem = {"code": "wrong_credentials", "title": "", "detail": "Name and password do not fit."}
    server.http_errors.append((401, {}, problem))
    with pytest.raises(NotAuthenticated, match="do not fit"):
        await login(server.url, "me", "wrong")


def test_one_of_user_and_token() -> None:
    """A client without either, or with both, is refused."""
    with pytest.raises(ValueError, match="give a token"):
        AsyncClient("http://127.0.0.1:1")


async def test_server_without_sockets(server: ScriptedServer, making: Making) -> None:
    """At a server without WebSockets the client continues by REST, and tries again."""
    server.refusals.extend([(404, {})] * 3)
    server.append(CHAT, "one")
    client = await making(poll_seconds=0.01, backoff_base=0.2, backoff_cap=0.2)
    assert "does not accept WebSockets: it answered 404" in (await take(client, Disconnected)).reason
    assert await messages(client, 1) == [(CHAT, 1, "one")]
    await take(client, Connected)


# --- back --------------------------------------------------------------------------------------------------


async def test_comes_back_by_the_last_token(server: ScriptedServer, making: Making) -> None:
    """After a break the client says hello with the token of its last sync, and gets missed messages."""
    server.append(CHAT, "1")
    client = await making()
    assert await messages(client, 1) == [(CHAT, 1, "1")]
    (await server.peer(0)).socket.transport.abort()
    server.append(CHAT, "2")
    assert await messages(client, 1) == [(CHAT, 2, "2")]
    assert (await server.peer(1)).sent("hello")[0]["version"] == f'{{"{CHAT}": "{server.cursor(CHAT, 1)}"}}'


async def test_server_that_is_not_there(making: Making, server: ScriptedServer) -> None:
    """A server that does not answer is tried again, and the application gets the reason."""
    client = await making(socket_url="ws://127.0.0.1:1")
    assert "ws://127.0.0.1:1/ cannot be reached" in (await take(client, Disconnected)).reason
    await take(client, Disconnected)


async def test_silent_server_is_taken_for_dead(server: ScriptedServer, making: Making) -> None:
    """A ping without an answer in time ends the connection, and another is opened."""
    server.silent.add("ping")
    client = await making(ping_seconds=0.05, answer_seconds=1.0)
    await take(client, Disconnected, lambda event: "did not answer a ping" in event.reason)
    await server.peer(1)


async def test_server_that_stops_reading(server: ScriptedServer, making: Making) -> None:
    """A connection that accepts no more bytes is given up, and the send continues on another."""
    client = await making(answer_seconds=1.0, fallback_seconds=None)
    (await server.peer(0)).stop_reading()
    async with asyncio.timeout(SECONDS):
        assert (await client.send(CHAT, "x")).seq == 1
    assert any(peer.sent("send") for peer in server.peers[1:])


async def test_answered_pings_keep_a_connection(server: ScriptedServer, making: Making) -> None:
    """An idle client pings repeatedly, on the same connection."""
    await making(ping_seconds=0.02)
    peer = await server.peer(0)
    await server.until(lambda: len(peer.sent("ping")) >= 5)
    assert len(server.peers) == 1


def test_idle_client_outlives_no_limit_and_says_one_thing_at_a_time() -> None:
    """An idle connection's frames precede API Gateway's 600 s and any lease; a resync replaces the ping."""
    client, lease = Settings(), ServerSettings().lease_seconds
    unrenewed = lease / RENEWALS  # a frame may leave the leases of other slots as old as this
    assert client.ping_seconds == PING_SECONDS
    assert client.ping_seconds + client.answer_seconds < min(600, lease - unrenewed)
    assert client.resync_seconds + client.answer_seconds < client.ping_seconds


async def test_machine_that_slept_checks_its_connection(
    server: ScriptedServer, making: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a sleep, which timers do not see, a ping finds the dead connection long before it is due."""
    wall, steady = Clock(), Clock()
    monkeypatch.setattr(connections, "Sleep", lambda: Sleep(wall, steady))
    monkeypatch.setattr(connections, "LOOK_SECONDS", 0.02)
    client = await making(answer_seconds=1.0)
    await client.ready()
    server.silent.add("ping")
    assert not server.peers[0].sent("ping")
    wall.now += 3600.0
    await take(client, Disconnected, lambda event: "did not answer a ping" in event.reason)
    assert len(server.peers[0].sent("ping")) == 1


@pytest.mark.parametrize(("wall", "steady", "slept"), [(60, 60, False), (3660, 60, True), (-60, 60, False)])
def test_sleep_is_distinguished_from_elapsed_time(wall: int, steady: int, slept: bool) -> None:
    """Time that the wall clock alone counted is sleep, once; a wall clock that fell back is no sleep."""
    clocks = Clock(), Clock()
    sleep = Sleep(*clocks)
    clocks[0].now += wall
    clocks[1].now += steady
    assert sleep.happened() is slept
    assert sleep.happened() is False


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="only Linux has all of these options")
async def test_kernel_probes_a_silent_connection(server: ScriptedServer) -> None:
    """Probes, which API Gateway does not bill, keep NAT entries alive and reveal dead connections."""
    settings = Settings(socket_url=server.socket_url)
    rest = Rest(server.url, settings, user="me")
    opened = await Entrance(rest, settings, "me", None).open()
    wire = opened.transport.get_extra_info("socket")
    assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == PROBE_SECONDS < 350
    assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == UNANSWERED_MS
    await opened.close()
    await rest.close()


def test_waits_grow_and_are_random() -> None:
    """Full jitter: from 0 to base x 2^n up to a cap; Retry-After takes precedence; success starts over."""
    drawn: list[float] = []

    def draw(least: float, most: float) -> float:
        drawn.append(most)
        return least

    backoff = Backoff(1.0, 5.0, draw)
    assert [backoff.failed() for _ in range(4)] == [0.0] * 4
    assert backoff.failed(7.0) == 7.0
    backoff.succeeded()
    backoff.failed()
    assert drawn == [1.0, 2.0, 4.0, 5.0, 5.0, 1.0]


# --- make before break -------------------------------------------------------------------------------------


async def test_new_connection_before_the_old_one_closes(server: ScriptedServer, making: Making) -> None:
    """A connection is replaced before its lifetime ends; messages pushed meanwhile come once."""
    client = await making(life_seconds=0.1)
    await take(client, Connected)
    pushed = 0
    async with asyncio.timeout(SECONDS):
        while len(server.peers) < 6:
            pushed += 1
            await server.push(server.append(CHAT, str(pushed)))
            await asyncio.sleep(0.01)
    seen = await messages(client, pushed)
    assert seen == [(CHAT, number, str(number)) for number in range(1, pushed + 1)]
    await client.close()
    with pytest.raises(Closed):
        await take(client, Disconnected)


async def test_event_on_both_connections_is_delivered_once(server: ScriptedServer, making: Making) -> None:
    """A signal on both connections is delivered once; the old one closes once its send is answered."""
    server.silent.add("send")
    server.admitted = 1
    client = await making(life_seconds=0.05)
    waiting = asyncio.create_task(client.send(CHAT, "x"))
    old = await server.peer(0)
    await server.until(lambda: old.sent("send"))
    await server.admit(2)
    new = await server.peer(1)
    await server.push(SIGNAL)
    await old.push(SIGNAL | {"call": "last"})
    seen = [(await take(client, Signal)).call for _ in range(2)]
    assert seen == ["c", "last"]
    server.silent.clear()
    frame = old.sent("send")[0]
    await old.push(*(answer | {"ref": frame["ref"]} for answer in server.answers(frame)))
    assert (await waiting).seq == 1
    async with asyncio.timeout(SECONDS):
        await old.socket.wait_closed()
    assert not new.sent("send")


async def test_old_connection_serves_until_there_is_a_new_one(server: ScriptedServer, making: Making) -> None:
    """A replacement that fails is tried again, and no break is reported."""
    server.admitted = 1
    client = await making(life_seconds=0.05)
    await take(client, Connected)
    server.refusals.extend([(503, {})] * 3)
    await server.admit()
    await server.peer(1)
    assert not server.refusals
    await server.push(server.append(CHAT, "hi"))
    async with asyncio.timeout(SECONDS):
        while not isinstance(event := await client.next_event(), Message):
            assert not isinstance(event, Disconnected)


async def test_fatal_handshake_says_why(server: ScriptedServer, making: Making) -> None:
    """A permanent refusal ends the client."""
    server.refusals.append((403, {}))
    with pytest.raises(Problem, match=r"Not you\."):
        await (await making()).ready()


def test_equal_texts_are_separate_events_when_sent_twice() -> None:
    """Two equal texts from one connection are two events if the other connection also brings two."""
    overlap = Overlap()
    overlap.begin("old", "new")
    seen = [overlap.repeats(source, "x") for source in ("old", "old", "new", "new", "new", "old")]
    assert seen == [False, False, True, True, False, True]
    overlap.end("old")
    assert not overlap.repeats("new", "x")
