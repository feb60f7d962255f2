"""WebSockets of one worker: events of the handlers, refused upgrades, and the limits of a connection."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection

from infra.local.sockets.shared import Limits
from tests.deployed.client import PROBLEM
from tests.local.connection_echo import LISTED_HOST, LISTED_ORIGIN, PAUSED
from tests.local.connection_edge import KEY, UPGRADE, SocketServer, ask, id_of, running_sockets
from tests.local.raw_http import TIMEOUT_SECONDS, Peer
from tests.servers.waiting import eventually

KIB = 1024

# The events of a WebSocket API, as API Gateway's developer guide and AWS's libraries for Lambda show them.
COMMON: dict[str, Any] = {
    "extendedRequestId": "R1knPH17NjMFftw=",
    "requestTime": "20/Jan/2024:11:55:00 +0000",
    "messageDirection": "IN",
    "stage": "prod",
    "connectedAt": 1705751697419,
    "requestTimeEpoch": 1705751700453,
    "identity": {"userAgent": "Mozilla/5.0", "sourceIp": "192.0.2.1"},
    "requestId": "R1knPH17NjMFftw=",
    "domainName": "abcd1234.execute-api.us-east-1.amazonaws.com",
    "connectionId": "R1kmxc2VNjMCFIA=",
    "apiId": "abcd1234",
}
CONNECT: dict[str, Any] = {
    "headers": {"Host": "abcd1234.execute-api.us-east-1.amazonaws.com"},
    "multiValueHeaders": {"Host": ["abcd1234.execute-api.us-east-1.amazonaws.com"]},
    "queryStringParameters": {"name": "me"},
    "multiValueQueryStringParameters": {"name": ["me"]},
    "requestContext": {"routeKey": "$connect", "eventType": "CONNECT", **COMMON},
    "isBase64Encoded": False,
}
MESSAGE: dict[str, Any] = {
    "requestContext": {
        "routeKey": "$default",
        "eventType": "MESSAGE",
        "messageId": "R1knPc2ntjMCFIA=",
        **COMMON,
    },
    "body": '{"a": 1}',
    "isBase64Encoded": False,
}
DISCONNECT: dict[str, Any] = {
    "headers": {
        "Host": "abcd1234.execute-api.us-east-1.amazonaws.com",
        "x-api-key": "",
        "X-Forwarded-For": "",
    },
    "multiValueHeaders": {"Host": [""], "x-api-key": [""], "X-Forwarded-For": [""]},
    "requestContext": {
        "routeKey": "$disconnect",
        "eventType": "DISCONNECT",
        "disconnectStatusCode": 1001,
        "disconnectReason": "",
        **COMMON,
    },
    "isBase64Encoded": False,
}


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SocketServer]:
    """A server of one worker, with API Gateway's limits."""
    with running_sockets(tmp_path_factory.mktemp("sockets")) as server:
        yield server


def same_shape(event: Any, documented: Any) -> bool:
    """Return whether an event has the fields and types of a documented one."""
    if isinstance(documented, dict) and documented and isinstance(event, dict):
        return event.keys() == documented.keys() and all(
            same_shape(event[name], documented[name]) for name in documented
        )
    return type(event) is type(documented)


def frames(client: ClientConnection, *sent: Frame | bytes) -> None:
    """Send frames, or bytes, unchanged."""
    written = b"".join(one if isinstance(one, bytes) else one.serialize(mask=True) for one in sent)
    client.socket.sendall(written)


def text(data: bytes, *, fin: bool = True, first: bool = True) -> Frame:
    """Return a frame of a text."""
    return Frame(Opcode.TEXT if first else Opcode.CONT, data, fin=fin)


def read_on(client: ClientConnection) -> None:
    """Read all frames; raises ConnectionClosed at the end."""
    while True:
        client.recv(TIMEOUT_SECONDS)


def close_of(client: ClientConnection) -> int:
    """Wait for the close frame, and return its code."""
    with pytest.raises(ConnectionClosed) as caught:
        read_on(client)
    assert caught.value.rcvd is not None, caught.value
    return int(caught.value.rcvd.code)


def test_the_events_of_a_connection(echo: SocketServer) -> None:
    """Each event has the fields of API Gateway's, with the same values for its connection."""
    with echo.open("/?name=me", user_agent_header="tests") as client:
        answer = ask(client, do="tell")
        opened, message = answer["opened"], answer["event"]
        headers = dict.fromkeys(opened["headers"], "")
        lists = {name: [""] for name in headers}
        assert same_shape(opened, CONNECT | {"headers": headers, "multiValueHeaders": lists})
        assert same_shape(message, MESSAGE)
        context = message["requestContext"]
        assert context["identity"] == {"sourceIp": "127.0.0.1", "userAgent": "tests"}
        assert context["domainName"] == f"127.0.0.1:{echo.port}"
        assert (context["stage"], context["apiId"]) == ("local", "local")
        assert abs(context["connectedAt"] / 1000 - time.time()) < 60
        assert opened["requestContext"]["connectionId"] == context["connectionId"]
        assert opened["requestContext"]["requestId"] != context["requestId"]
        client.close(4321, "enough")
    end = echo.end_of(context["connectionId"])
    event = echo.ends()[context["connectionId"]]
    del event["pid"]
    assert same_shape(event, DISCONNECT)
    assert (end["disconnectStatusCode"], end["disconnectReason"]) == (4321, "enough")
    assert end["connectedAt"] == context["connectedAt"]


def test_headers_and_queries_with_several_values(echo: SocketServer) -> None:
    """Headers and query parameters are given with the last value, and with all."""
    headers = [("X-Name", "a"), ("X-Name", "b")]
    with echo.open("/?a=1&a=2&b=%C3%A9&c=", additional_headers=headers) as client:
        opened = ask(client, do="tell")["opened"]
    assert opened["headers"]["X-Name"] == "b"
    assert opened["multiValueHeaders"]["X-Name"] == ["a", "b"]
    assert opened["queryStringParameters"] == {"a": "2", "b": "\u00e9", "c": ""}
    assert opened["multiValueQueryStringParameters"]["a"] == ["1", "2"]


def test_event_without_a_query_has_no_query_field(echo: SocketServer) -> None:
    """An event of a request without a query has no field for one."""
    with echo.open("/") as client:
        assert "queryStringParameters" not in ask(client, do="tell")["opened"]


def test_a_room_in_the_path(echo: SocketServer) -> None:
    """The room of /ws/joinRoom/ROOM is the query's `room`, decoded, whatever the query says of it."""
    with echo.open("/ws/joinRoom/a%20b%2Fc?ticket=t&room=other") as client:
        query = ask(client, do="tell")["opened"]["multiValueQueryStringParameters"]
    assert query == {"ticket": ["t"], "room": ["a b/c"]}


@pytest.mark.parametrize("path", ["/other", "/ws/joinRoom/", "/ws/joinRoom", "/local", "//"])
def test_other_paths_are_a_404(echo: SocketServer, path: str) -> None:
    """A path without a WebSocket is a 404 problem."""
    with pytest.raises(InvalidStatus) as refused:
        echo.open(path)
    assert refused.value.response.status_code == 404
    assert refused.value.response.headers["Content-Type"] == PROBLEM


@pytest.mark.parametrize("path", ["/?a=%ff", "/ws/joinRoom/%ff"])
def test_what_is_no_utf_8_is_a_400(echo: SocketServer, path: str) -> None:
    """Percent-encoding that is not UTF-8 is a 400."""
    with pytest.raises(InvalidStatus) as refused:
        echo.open(path)
    assert refused.value.response.status_code == 400


@pytest.mark.parametrize("status", [401, 403, 429, 503])
def test_refusal_of_connect_is_the_answer_to_the_upgrade(echo: SocketServer, status: int) -> None:
    """Any answer of `$connect` except a 2xx is the answer to the upgrade, with its headers and body."""
    with pytest.raises(InvalidStatus) as refused:
        echo.open(f"/?refuse={status}")
    response = refused.value.response
    assert response.status_code == status
    assert (response.headers["X-Why"], response.body) == ("asked for", b'{"code":"asked_for"}')


def test_a_connect_that_fails_is_a_500(echo: SocketServer) -> None:
    """An exception from `$connect` refuses the connection, without details."""
    with pytest.raises(InvalidStatus) as refused:
        echo.open("/?fail=1")
    assert refused.value.response.status_code == 500
    assert b"a defect" not in refused.value.response.body


def test_nothing_is_pushed_during_connect(echo: SocketServer) -> None:
    """A push to a connection that is not open yet finds it gone."""
    with echo.open("/?early=1") as client:
        answer = ask(client, do="tell")
    assert answer["early"] == {"gone": [answer["event"]["requestContext"]["connectionId"]], "failed": []}


def test_a_subprotocol_is_passed_on(echo: SocketServer) -> None:
    """The subprotocol that `$connect` names is the connection's; without one there is none."""
    with echo.open("/?protocol=second", subprotocols=["first", "second"]) as client:
        assert client.subprotocol == "second"
    with echo.open("/", subprotocols=["first"]) as client:
        assert client.subprotocol is None


@pytest.mark.parametrize("connection", ["Upgrade", "keep-alive, Upgrade", "upgrade"])
def test_any_form_of_an_upgrade(echo: SocketServer, connection: str) -> None:
    """The Connection header may have other options, as Firefox's has."""
    assert echo.upgrade("/", f"Connection: {connection}", *UPGRADE).status == 101


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (426, ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 8", KEY)),
        (400, ("Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13")),
        (400, ("Connection: Upgrade", *UPGRADE[:2], "Sec-WebSocket-Key: c2hvcnQ=")),
        (400, ("no header",)),
    ],
)
def test_what_is_no_upgrade_is_refused(echo: SocketServer, status: int, headers: Sequence[str]) -> None:
    """A request that cannot become a WebSocket gets an error, and reaches no handler."""
    assert echo.upgrade("/?fail=1", *headers).status == status


@pytest.mark.parametrize(
    "headers",
    [
        (),
        ("Connection: keep-alive", *UPGRADE),
        ("Connection: Upgrade", "Upgrade: h2c", "Sec-WebSocket-Version: 13", KEY),
    ],
)
def test_request_that_asks_for_no_websocket_is_plain_http(echo: SocketServer, headers: Sequence[str]) -> None:
    """Without both headers of an upgrade to a WebSocket, a request is answered like any other."""
    assert echo.get("/worker", *headers).status == 200
    assert echo.get("/?fail=1", *headers).status == 404


@pytest.mark.parametrize(
    "hosts",
    [(), ("Host:",), ("Host: localhost", "Host: localhost"), ("Host: localhost", "Host: evil.example")],
)
@pytest.mark.parametrize("upgrade", [("Connection: Upgrade", *UPGRADE), ()])
def test_a_request_names_one_host(echo: SocketServer, upgrade: Sequence[str], hosts: Sequence[str]) -> None:
    """A request without a Host header, or with two, is a 400 problem, whether it is an upgrade or not."""
    with Peer(echo.port) as peer:
        peer.send("GET / HTTP/1.1", *hosts, *upgrade)
        answer = peer.answer()
    assert (answer.status, answer.headers["Content-Type"]) == (400, PROBLEM)


@pytest.mark.parametrize("host", ["evil.example", f"evil.{LISTED_HOST}", "127.0.0.1.nip.io", "192.168.1.7"])
def test_other_names_are_refused(echo: SocketServer, host: str) -> None:
    """An open server refuses any name but this machine's, so that no page reaches it under its own."""
    assert echo.upgrade("/", "Connection: Upgrade", *UPGRADE, host=host).status == 403


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        f"https://evil.{LISTED_HOST}",
        "http://localhost:1",
        "null",
        "http://[",
        LISTED_HOST,
    ],
)
def test_pages_of_other_sites_are_refused(echo: SocketServer, origin: str) -> None:
    """An open server refuses connects of other sites' pages, which could use any name."""
    answer = echo.upgrade("/", "Connection: Upgrade", *UPGRADE, f"Origin: {origin}")
    assert (answer.status, answer.json["code"]) == (403, "cross_site")


def test_its_own_pages_are_let_in(echo: SocketServer) -> None:
    """Pages of this server and of listed origins may connect."""
    for origin in (f"http://localhost:{echo.port}", LISTED_ORIGIN):
        upgrade = ("Connection: Upgrade", *UPGRADE, f"Origin: {origin}")
        assert echo.upgrade("/", *upgrade, host=f"localhost:{echo.port}").status == 101


def test_a_listed_host_is_served_and_its_pages_are_let_in(echo: SocketServer) -> None:
    """An open server answers to a listed name, and pages of that host may connect, on any port."""
    for host, origin in ((LISTED_HOST, "localhost:9"), ("localhost", f"{LISTED_HOST}:3000")):
        upgrade = ("Connection: Upgrade", *UPGRADE, f"Origin: http://{origin}")
        status = echo.upgrade("/", *upgrade, host=host).status
        assert status == (101 if LISTED_HOST in origin else 403)
    assert echo.upgrade("/", "Connection: Upgrade", *UPGRADE, host=f"{LISTED_HOST}:1").status == 101


def test_frames_right_behind_the_request_arrive(echo: SocketServer) -> None:
    """Frames that a client sends before it has the answer to its upgrade are handled, in whatever number."""
    count, data = 3000, b"x" * 60
    with Peer(echo.port) as peer:
        upgrade = ("GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", *UPGRADE)
        peer.send(*upgrade, body=text(data).serialize(mask=True) * count)
        with peer.socket.makefile("rb") as received:
            assert received.readline() == b"HTTP/1.1 101 Switching Protocols\r\n"
            while received.readline() != b"\r\n":
                continue
            assert received.read(count * 62) == text(data).serialize(mask=False) * count


def test_upgrade_on_a_used_connection(echo: SocketServer) -> None:
    """A connection that has had answers can become a WebSocket, by the same rules as a new one."""
    for host, status in (("localhost", 101), ("evil.example", 403)):
        with echo.peer() as peer:
            peer.send("GET /worker HTTP/1.1", "Host: localhost")
            assert peer.answer().status == 200
            peer.send("GET / HTTP/1.1", f"Host: {host}", "Connection: Upgrade", *UPGRADE)
            assert peer.answer().status == status


@pytest.mark.parametrize("size", [0, 1, 125, 126, 32 * KIB])
def test_texts_up_to_the_largest_frame(echo: SocketServer, size: int) -> None:
    """A text of one frame arrives whole."""
    with echo.open() as client:
        client.send("x" * size)
        assert client.recv(TIMEOUT_SECONDS) == "x" * size


def test_a_message_in_fragments(echo: SocketServer) -> None:
    """A message of 128 KiB arrives in frames of 32 KiB, with a ping between them."""
    part = b"x" * 32 * KIB
    with echo.open() as client:
        frames(client, text(part, fin=False), text(part, fin=False, first=False), Frame(Opcode.PING, b"?"))
        frames(client, text(part, fin=False, first=False), text(b"", fin=False, first=False))
        frames(client, text(part, first=False))
        assert client.recv(TIMEOUT_SECONDS) == "x" * 128 * KIB


def test_a_character_across_fragments(echo: SocketServer) -> None:
    """UTF-8 is checked over the whole message."""
    letter = "\u4f60".encode()
    with echo.open() as client:
        frames(client, text(letter[:1], fin=False), text(letter[1:], first=False))
        assert client.recv(TIMEOUT_SECONDS) == "\u4f60"


TOO_MUCH = b"x" * 32 * KIB
HOSTILE: dict[str, tuple[int, list[Frame | bytes]]] = {
    "binary": (1003, [Frame(Opcode.BINARY, b"x")]),
    "frame": (1009, [text(TOO_MUCH + b"x")]),
    "huge frame": (1009, [text(TOO_MUCH * 64)]),
    "message": (
        1009,
        [text(TOO_MUCH, fin=False), *[text(TOO_MUCH, fin=False, first=False)] * 3, text(b"x", first=False)],
    ),
    "utf-8": (1007, [text(b"\xff\xfe")]),
    "utf-8 in fragments": (1007, [text(b"\xe4", fin=False), text(b"x", first=False)]),
    "surrogate": (1007, [text(b"\xed\xa0\x80")]),
    "continuation of nothing": (1002, [text(b"x", first=False)]),
    "text within a message": (1002, [text(b"x", fin=False), text(b"x")]),
    "reserved bit": (1002, [b"\xc1\x81mask\x15"]),
    "unknown kind": (1002, [b"\x83\x81mask\x15"]),
    "not masked": (1002, [b"\x81\x01x"]),
    "close of one byte": (1002, [b"\x88\x81mask\x15"]),
    "close with no UTF-8": (1007, [Frame(Opcode.CLOSE, b"\x03\xe8\xff")]),
    **{
        f"close {code}": (1002, [Frame(Opcode.CLOSE, struct.pack("!H", code))])
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
    },
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_frames_that_end_a_connection(echo: SocketServer, kind: str) -> None:
    """Invalid frames get a close frame with the right code, which the end's event has too."""
    code, sent = HOSTILE[kind]
    with echo.open() as other, echo.open() as client:
        connection = id_of(client)
        frames(client, *sent)
        assert close_of(client) == code
        assert echo.end_of(connection)["disconnectStatusCode"] == code
        other.send("still here")
        assert other.recv(TIMEOUT_SECONDS) == "still here"


def test_frames_of_every_size_in_one_push(echo: SocketServer) -> None:
    """Frames pushed at once arrive whole and in order, whatever their sizes."""
    sizes = [70_000, 9_000, 100, 130_000, 20_000, 1, 8_193, 8_192, 126, 65_536, 125]
    with echo.open() as client, echo.open() as pushing:
        assert ask(pushing, do="push", to=[id_of(client)], text="x", times=sizes)["gone"] == []
        assert [len(client.recv(TIMEOUT_SECONDS)) for _ in sizes] == sizes


def test_a_push_from_a_thread(echo: SocketServer) -> None:
    """A handler that runs in a thread can push as well, and learns of gone connections."""
    with echo.open() as client, echo.open() as pushing:
        one = id_of(client)
        unknown = f"{one[:6]}zzzzzzzzz="
        answer = ask(pushing, do="push", to=[one, unknown], text="x", thread=True)
        assert answer == {"gone": [unknown], "failed": []}
        assert client.recv(TIMEOUT_SECONDS) == "x"


@settings(max_examples=60)
@given(sent=strategies.lists(strategies.binary(max_size=300), min_size=1, max_size=5))
def test_server_survives_any_bytes_of_a_client(echo: SocketServer, sent: list[bytes]) -> None:
    """Whatever bytes one client sends, the server still serves the next one."""
    with Peer(echo.port) as peer, contextlib.suppress(OSError):
        peer.send("GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", *UPGRADE)
        assert peer.answer().status == 101
        for piece in sent:
            peer.socket.sendall(piece)
    with Peer(echo.port) as peer, contextlib.suppress(OSError):
        peer.socket.sendall(b"".join(sent) + b"\r\n\r\n")
        peer.socket.recv(KIB)
    with echo.open() as client:
        client.send("still here")
        assert client.recv(TIMEOUT_SECONDS) == "still here"


def test_pings_are_answered(echo: SocketServer) -> None:
    """A ping is answered with its own payload."""
    with echo.open() as client:
        assert client.ping(b"payload").wait(TIMEOUT_SECONDS)


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4000, 4999])
def test_a_close_is_answered(echo: SocketServer, code: int) -> None:
    """A client's close frame is answered with the same code, which `$disconnect` gets."""
    with echo.open() as client:
        connection = id_of(client)
        client.close(code, "bye")
        assert client.close_code == code
    assert echo.end_of(connection)["disconnectStatusCode"] == code


def test_a_close_without_a_code(echo: SocketServer) -> None:
    """A close without a code is 1005 in the event."""
    with echo.open() as client:
        connection = id_of(client)
        frames(client, Frame(Opcode.CLOSE, b""))
        assert close_of(client) == 1000
    assert echo.end_of(connection)["disconnectStatusCode"] == 1005


def test_a_client_that_vanishes(echo: SocketServer) -> None:
    """A broken connection is 1006 in the event, after its earlier messages."""
    client = echo.open()
    connection = id_of(client)
    client.socket.close()
    assert echo.end_of(connection)["disconnectStatusCode"] == 1006


def test_a_handler_that_fails(echo: SocketServer) -> None:
    """The client gets API Gateway's error, and the connection lives on."""
    with echo.open() as client:
        answer = ask(client, do="fail")
        assert answer["message"] == "Internal server error"
        assert answer.keys() == {"message", "connectionId", "requestId"}
        client.send("still here")
        assert client.recv(TIMEOUT_SECONDS) == "still here"
    assert answer["requestId"] in echo.output()


def test_messages_before_a_close_are_handled(echo: SocketServer) -> None:
    """Messages sent before a close reach the handler."""
    with echo.open() as watcher:
        to = id_of(watcher)
        with echo.open() as client:
            for number in range(100):
                client.send(json.dumps({"do": "push", "to": [to], "text": f"{number}", "silent": True}))
        assert [watcher.recv(TIMEOUT_SECONDS) for _ in range(100)] == [f"{number}" for number in range(100)]


def test_a_flood_holds_nobody_up(echo: SocketServer) -> None:
    """While 10,000 messages of one connection wait, each of another is handled within a few turns."""
    with echo.open(max_queue=None) as flooding, echo.open() as other:
        frames(flooding, *[text(b"x")] * 10_000)
        for number in range(50):
            other.send(f"{number}")
            assert other.recv(TIMEOUT_SECONDS) == f"{number}"
        assert [flooding.recv(TIMEOUT_SECONDS) for _ in range(10_000)] == ["x"] * 10_000


def test_many_pings_hold_nobody_up(echo: SocketServer) -> None:
    """Pings that come faster than they are answered get only the last one's pong."""
    with echo.open() as flooding, echo.open() as other:
        frames(flooding, *[Frame(Opcode.PING, b"%d" % number) for number in range(5000)])
        other.send("still here")
        assert other.recv(TIMEOUT_SECONDS) == "still here"
        flooding.send("and here")
        assert flooding.recv(TIMEOUT_SECONDS) == "and here"


@pytest.mark.long
@pytest.mark.parametrize(
    ("limits", "busy"), [(Limits(idle_seconds=0.5), False), (Limits(life_seconds=0.5), True)]
)
def test_idle_and_old_connections_end(tmp_path: Path, limits: Limits, busy: bool) -> None:
    """A connection that is idle for too long, or has lived for too long, is closed with 1001."""
    with running_sockets(tmp_path, 1, limits) as server, server.open() as client:
        if busy:
            with contextlib.suppress(ConnectionClosed):
                while True:
                    ask(client, do="tell")
        assert close_of(client) == 1001
        assert eventually(lambda: "Going away" in reasons(server))
        assert reasons(server)["Going away"] == 1001


def reasons(server: SocketServer) -> dict[str, int]:
    """Return the close codes of ended connections, by reason."""
    ends = [event["requestContext"] for event in server.ends().values()]
    return {end["disconnectReason"]: end["disconnectStatusCode"] for end in ends}


@pytest.mark.long
def test_a_busy_connection_is_not_idle(tmp_path: Path) -> None:
    """Frames of either side keep a connection open while one that began after it is closed as idle."""
    limits = Limits(idle_seconds=3.0)
    with running_sockets(tmp_path, 1, limits) as server, server.open() as pushing, server.open() as reading:
        to = [id_of(reading)]
        with server.open() as idle:
            ending = id_of(idle)
            while ending not in server.ends():
                ask(pushing, do="push", to=to, text="x")
                assert reading.recv(TIMEOUT_SECONDS) == "x"
            assert close_of(idle) == 1001
        assert id_of(reading) == to[0]


@pytest.mark.long
def test_a_slow_reader_is_dropped(tmp_path: Path) -> None:
    """A client that reads nothing is dropped once too much waits for it, and nobody else waits."""
    with running_sockets(tmp_path, 1, Limits(unread_bytes=64 * KIB)) as server:
        deaf = socket.create_connection(("127.0.0.1", server.port))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * KIB)
        with server.open(sock=deaf, max_queue=1) as slow, server.open() as other, server.open() as sending:
            to = [id_of(slow), id_of(other)]
            gone: list[str] = []
            for _ in range(1000):
                gone += ask(sending, do="push", to=to, text="x" * KIB, times=[100])["gone"]
                assert len(other.recv(TIMEOUT_SECONDS)) == 100 * KIB
                if gone:
                    break
            assert gone == [to[0]]
            assert server.end_of(to[0])["disconnectStatusCode"] == 1006
            with pytest.raises(ConnectionClosedError):
                read_on(slow)


@pytest.mark.long
@pytest.mark.parametrize("workers", [1, 2])
def test_a_client_that_is_behind_goes_without_what_is_droppable(tmp_path: Path, workers: int) -> None:
    """Droppable frames beyond thirty times the limit do not end a connection, and other frames arrive."""
    with running_sockets(tmp_path, workers, Limits(unread_bytes=1024 * KIB)) as server:
        deaf = socket.create_connection(("127.0.0.1", server.port))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * KIB)
        with (
            server.open(sock=deaf, max_queue=1, ping_interval=None) as slow,
            server.open() as other,
            server.open() as sending,
        ):
            to = [id_of(slow), id_of(other)]
            for _ in range(300):
                answer = ask(sending, do="push", to=to, text="x" * KIB, times=[100], droppable=True)
                assert answer["gone"] == answer["failed"] == []
                assert len(other.recv(TIMEOUT_SECONDS)) == 100 * KIB
            assert ask(sending, do="push", to=to, text="last")["gone"] == []
            assert other.recv(TIMEOUT_SECONDS) == "last"
            got = 0
            while (read := slow.recv(TIMEOUT_SECONDS)) != "last":
                assert len(read) == 100 * KIB
                got += 1
            assert got < 150


def test_a_late_reader_gets_all(tmp_path: Path) -> None:
    """Frames for a client that reads late, within the limit, arrive whole and in order."""
    sizes = [size for number in range(40) for size in (130_000, 9_000 + number, 8_000 + number, 20_000)]
    with running_sockets(tmp_path, 1, Limits(unread_bytes=16 * KIB * KIB)) as server:
        deaf = socket.create_connection(("127.0.0.1", server.port))
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * KIB)
        with server.open(sock=deaf, max_queue=1) as late, server.open() as pushing:
            assert ask(pushing, do="push", to=[id_of(late)], text="x", times=sizes)["failed"] == []
            assert [late.recv(TIMEOUT_SECONDS) for _ in sizes] == ["x" * size for size in sizes]


def test_frames_are_shuffled(tmp_path: Path) -> None:
    """On request waiting messages are handled in any order, each once."""
    with running_sockets(tmp_path, 1, shuffle=True) as server, server.open() as client:
        frames(client, *[text(b"%d" % number) for number in range(50)])
        order = [client.recv(TIMEOUT_SECONDS) for _ in range(50)]
        assert sorted(order, key=str) == sorted((f"{number}" for number in range(50)), key=str)
        assert order != [f"{number}" for number in range(50)]


@pytest.mark.long
def test_a_stop_closes_connections(tmp_path: Path) -> None:
    """When the server stops, clients get 1001, and `$disconnect` gets their ends."""
    with running_sockets(tmp_path, 2) as server:
        clients = [server.open() for _ in range(20)]
        ids = [id_of(client) for client in clients]
        server.process.terminate()
        assert [close_of(client) for client in clients] == [1001] * 20
        assert server.process.wait(TIMEOUT_SECONDS) == 0
        assert {server.end_of(one)["disconnectStatusCode"] for one in ids} == {1001}


def test_connection_opened_during_the_stop_ends_like_others(tmp_path: Path) -> None:
    """A client whose `$connect` is under way at the stop gets 1001, and `$disconnect` gets its end."""
    with running_sockets(tmp_path) as server, ThreadPoolExecutor(1) as threads:
        opening = threads.submit(server.open, "/?pause=1")
        assert eventually((tmp_path / PAUSED).exists)
        server.process.terminate()
        assert close_of(opening.result(TIMEOUT_SECONDS)) == 1001
        assert server.process.wait(TIMEOUT_SECONDS) == 0
        codes = [end["requestContext"]["disconnectStatusCode"] for end in server.ends().values()]
        assert codes.count(1001) == 1
