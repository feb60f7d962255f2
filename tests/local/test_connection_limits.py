"""The limits of one address, one user and one request."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.frames import Frame, Opcode
from websockets.sync.client import ClientConnection

from infra.local.addresses import AddressLimit
from infra.local.http.reader import MAX_HEAD_BYTES
from infra.local.sockets.shared import Limits
from tests.deployed.client import PROBLEM
from tests.local.connection_edge import UPGRADE, SocketServer, ask, id_of, running_sockets
from tests.local.raw_http import TIMEOUT_SECONDS, Peer
from tests.local.test_connections import close_of, frames, text
from tests.servers.waiting import eventually

KIB, MIB = 1024, 1024 * 1024
CONNECTIONS = 5
CONTROL_FRAMES = 100
FLOOD = 10_000


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SocketServer]:
    """A server with small limits, which counts connections of the loopback interface too."""
    addresses = AddressLimit(connections=CONNECTIONS, uncounted=())
    limits = Limits(control_frames=CONTROL_FRAMES)
    with running_sockets(tmp_path_factory.mktemp("strict"), 1, limits, addresses=addresses) as server:
        yield server


def peers(server: SocketServer, count: int, address: str) -> list[Peer]:
    """Return connections of an address that have sent nothing."""
    return [Peer(server.port, address) for _ in range(count)]


def answers_to(peer: Peer) -> int:
    """Ask for upgrades, and return the status of each answer; 0: the connection ended without one."""
    try:
        peer.send("GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", *UPGRADE)
        return peer.answer().status
    except OSError:
        return 0


def test_an_address_may_have_so_many_connections(strict: SocketServer) -> None:
    """The next connection of an address is answered 429, until one ends; other addresses are let in."""
    held = peers(strict, CONNECTIONS, "127.0.0.2")
    assert [answers_to(peer) for peer in held] == [101] * CONNECTIONS
    with Peer(strict.port, "127.0.0.2") as refused:
        answer = refused.answer()
        assert (answer.status, answer.json["code"]) == (429, "too_many_requests")
        assert answer.headers["Content-Type"] == PROBLEM
    with Peer(strict.port, "127.0.0.3") as other:
        assert answers_to(other) == 101
    held.pop().socket.close()

    def let_in() -> bool:
        with Peer(strict.port, "127.0.0.2") as peer:
            return answers_to(peer) == 101

    assert eventually(let_in)
    for peer in held:
        peer.socket.close()


def test_connections_without_a_request_count(strict: SocketServer) -> None:
    """Connections that have sent nothing count too, and those far beyond the limit get no answer."""
    silent = peers(strict, 4 * CONNECTIONS, "127.0.0.4")
    received = [peer.socket.recv(12) for peer in silent[2 * CONNECTIONS :]]
    assert received == [b""] * len(received)
    with Peer(strict.port, "127.0.0.5") as other:
        assert answers_to(other) == 101
    for peer in silent:
        peer.socket.close()


def test_connections_for_http_and_websockets_count_together(strict: SocketServer) -> None:
    """An address has one limit for both: the next connection is answered 429, until one ends."""
    upgraded, *held = peers(strict, CONNECTIONS, "127.0.0.9")
    assert answers_to(upgraded) == 101
    assert [get(peer) for peer in held] == [200] * len(held)
    with Peer(strict.port, "127.0.0.9") as refused:
        assert refused.answer().status == 429
    held.pop().socket.close()

    def let_in() -> bool:
        with Peer(strict.port, "127.0.0.9") as peer:
            return get(peer) == 200

    assert eventually(let_in)
    for peer in (upgraded, *held):
        peer.socket.close()


def get(peer: Peer) -> int:
    """Return the status of a GET; 0: the connection ended without an answer."""
    try:
        peer.send("GET /worker HTTP/1.1", "Host: localhost")
        return peer.answer().status
    except OSError:
        return 0


def test_connections_beyond_the_limit_are_ended(strict: SocketServer) -> None:
    """All connections beyond the limit are ended, used or not; the others are served."""
    held = [Peer(strict.port, "127.0.0.7") for _ in range(4 * CONNECTIONS)]
    with contextlib.suppress(OSError):
        for peer in held[::2]:
            peer.send("GET /worker HTTP/1.1", "Host: localhost")
    assert eventually(lambda: sum(is_open(peer) for peer in held) == CONNECTIONS)
    for peer in filter(is_open, held):
        peer.send("GET /worker HTTP/1.1", "Host: localhost")
        assert peer.answer().status == 200
    with Peer(strict.port, "127.0.0.8") as other:
        other.send("GET /worker HTTP/1.1", "Host: localhost")
        assert other.answer().status == 200
    for peer in held:
        peer.socket.close()


def is_open(peer: Peer) -> bool:
    """Return whether a server has kept a connection; its answers are discarded."""
    peer.socket.setblocking(False)
    try:
        while data := peer.socket.recv(KIB):
            assert data.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 429 "))
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        peer.socket.settimeout(TIMEOUT_SECONDS)
    return False


@pytest.mark.parametrize("parts", [1, 20])
def test_a_head_that_is_too_large_is_a_431(strict: SocketServer, parts: int) -> None:
    """A request whose head has more than 16 KB gets an error, in any pieces and with or without an end."""
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * MAX_HEAD_BYTES
    for end in (b"", b"\r\n\r\n"):
        with Peer(strict.port, "127.0.0.6") as peer:
            sent = head + end
            step = len(sent) // parts + 1
            for at in range(0, len(sent), step):
                peer.socket.sendall(sent[at : at + step])
            answer = peer.answer()
            assert (answer.status, answer.json["code"]) == (431, "headers_too_large")
            assert peer.socket.recv(1) == b""


def test_the_largest_head_is_taken(strict: SocketServer) -> None:
    """A head of just under 16 KB is taken, with frames right behind it."""
    lines = ["GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", *UPGRADE]
    used = len("\r\n".join([*lines, "X-Long: "]))
    with Peer(strict.port, "127.0.0.6") as peer:
        long = f"X-Long: {'a' * (MAX_HEAD_BYTES - used - 1)}"
        peer.send(*lines, long, body=text(b"hello").serialize(mask=True) * 2000)
        assert peer.answer().status == 101


FLOODS = {
    "pings": Frame(Opcode.PING, b"?"),
    "pongs": Frame(Opcode.PONG, b"?"),
    "fragments of nothing": text(b"", fin=False, first=False),
    "fragments of a byte": text(b"x", fin=False, first=False),
}


@pytest.mark.parametrize("kind", FLOODS)
def test_a_flood_of_control_frames_ends_its_connection(strict: SocketServer, kind: str) -> None:
    """Pings, pongs and fragments beyond the limit close the connection with 1008, and disturb no other."""
    with strict.open() as other, strict.open() as flooding:
        connection = id_of(flooding)
        frames(flooding, text(b"x", fin=False), *[FLOODS[kind]] * FLOOD)
        assert close_of(flooding) == 1008
        assert strict.end_of(connection)["disconnectStatusCode"] == 1008
        other.send("still here")
        assert other.recv(TIMEOUT_SECONDS) == "still here"


def test_control_frames_within_the_limit_are_taken(strict: SocketServer) -> None:
    """The maximum number of pings at once leaves a connection open, however many messages it sends."""
    with strict.open() as client:
        frames(client, *[Frame(Opcode.PING, b"?")] * CONTROL_FRAMES, *[text(b"x")] * 2 * CONTROL_FRAMES)
        assert [client.recv(TIMEOUT_SECONDS) for _ in range(2 * CONTROL_FRAMES)] == ["x"] * 2 * CONTROL_FRAMES


def deaf(server: SocketServer, user: str) -> ClientConnection:
    """Return a connection of a user that stops reading once it knows its id."""
    small = socket.create_connection(("127.0.0.1", server.port))
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * KIB)
    return server.open(f"/?user={user}", sock=small, max_queue=1, close_timeout=0.1)


@pytest.mark.long
def test_all_connections_of_a_user_share_what_may_wait_unread(tmp_path: Path) -> None:
    """The user's deaf connections are dropped for their total unread bytes; another user's lives on."""
    limits = Limits(unread_bytes=64 * MIB, user_unread_bytes=MIB)
    with running_sockets(tmp_path, 1, limits) as server, contextlib.ExitStack() as stack:
        several = [stack.enter_context(deaf(server, "hal")) for _ in range(6)]
        single = stack.enter_context(deaf(server, "ivy"))
        reading, sending = stack.enter_context(server.open("/?user=hal")), stack.enter_context(server.open())
        ids = [id_of(client) for client in several]
        others = [id_of(single), id_of(reading)]
        gone: list[str] = []
        for _ in range(1000):
            answer = ask(sending, do="push", to=[*ids, *others], text="x" * KIB, times=[100])
            assert len(reading.recv(TIMEOUT_SECONDS)) == 100 * KIB
            gone += answer["gone"]
            if gone:
                break
        assert gone
        assert set(gone) < set(ids)
        assert {server.end_of(one)["disconnectStatusCode"] for one in gone} == {1006}
        assert ask(sending, do="push", to=others, text="x")["gone"] == []
