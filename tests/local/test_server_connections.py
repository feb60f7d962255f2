"""WebSockets of a whole server: their URL, and its options."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from infra.local.options import parse
from infra.local.sockets.shared import Limits
from tests.local.connection_edge import UPGRADE
from tests.local.processes import processes
from tests.local.raw_http import TIMEOUT_SECONDS, Peer, port_of
from tests.local.test_startup_errors import is_one_line, refusal
from tests.servers.gateway import Gateway, running_gateway
from tests.servers.waiting import eventually


def sockets_of(server: Gateway) -> str:
    """Return the server's WebSocket URL."""
    found = re.search(r"^WebSockets are on (\S+?)\. ", server.output(), re.MULTILINE)
    assert found is not None
    return found[1]


def opened(url: str, user: str) -> ClientConnection:
    """Return a connection of a name, after its hello."""
    client: ClientConnection = connect(
        f"{url}?user={user}", proxy=None, legacy=True, open_timeout=TIMEOUT_SECONDS
    )
    client.send(json.dumps({"type": "hello"}))
    while frame(client)["type"] != "ready":
        continue
    return client


def frame(client: ClientConnection) -> dict[str, Any]:
    """Return the next frame."""
    received: dict[str, Any] = json.loads(client.recv(TIMEOUT_SECONDS))
    return received


def chat(url: str) -> None:
    """Send a message from one connection to another, and back."""
    with opened(url, "alice") as alice, opened(url, "bob") as bob:
        for number, (sender, receiver) in enumerate([(alice, bob), (bob, alice)] * 3):
            sender.send(json.dumps({"type": "send", "chat": "alice:bob", "id": f"{number}", "text": "hi"}))
            assert frame(sender)["type"] == "ack"
            assert (frame(receiver)["type"], number) == ("message", number)


@pytest.mark.long
@pytest.mark.parametrize("env", [{}, {"PUSH_BY_WIRE": "1"}])
def test_both_ways_to_push(env: dict[str, str]) -> None:
    """A message crosses the workers, handed over within the server or through the management API."""
    with running_gateway(env, ["--workers", "2"]) as server:
        url = sockets_of(server)
        assert port_of(url) == port_of(server.url)
        chat(url)


def test_a_message_by_http_is_pushed(shared: Gateway) -> None:
    """A message sent by HTTP, to any worker, arrives on the connections of the others."""
    with opened(sockets_of(shared), "carol") as carol:
        for number in range(5):
            sent = {"chat": "carol:dave", "sender": "dave", "text": f"{number}"}
            assert httpx.post(f"{shared.url}/api/send", json=sent).status_code == 204
            assert frame(carol)["text"] == f"{number}"


def test_room_opens_on_the_port_of_http(shared: Gateway) -> None:
    """A client connects to a room under the URL that it uses for HTTP."""
    url = f"ws{shared.url.removeprefix('http')}/ws/joinRoom/lobby"
    with opened(url, "erin") as client:
        assert client.remote_address[1] == port_of(sockets_of(shared))


@pytest.mark.long
def test_an_upgrade_under_no_host_is_refused() -> None:
    """An upgrade for an invalid host is a 400, and no failure of the server."""
    with running_gateway({"PARLEY_AUTH": "required"}, ["--workers", "1"]) as server:
        for host, status in (("caf\u00e9", 400), ("a b", 400), ("a\tb", 400), ("chat.example.lan", 401)):
            with Peer(port_of(server.url)) as peer:
                peer.send("GET / HTTP/1.1", f"Host: {host}:80", "Connection: Upgrade", *UPGRADE)
                assert peer.answer().status == status, host
        assert '"level":"ERROR"' not in server.output()


@pytest.mark.long
def test_a_stop_ends_sockets(short_path: Path) -> None:
    """At the stop clients get 1001, and no files are left."""
    (temporary := short_path / "tmp").mkdir()
    args = ["--workers", "2", "--data", str(short_path / "data")]
    with running_gateway({"TMPDIR": str(temporary)}, args) as server:
        clients = [opened(sockets_of(server), f"user{number}") for number in range(10)]
        assert list(short_path.glob("data/run/*/*.sock"))
        assert server.stop() == 0
        for client in clients:
            with pytest.raises(ConnectionClosed) as closed:
                client.recv(TIMEOUT_SECONDS)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1001
        assert eventually(lambda: not processes(server))
        assert not list(short_path.glob("data/run/*"))
        assert not list(temporary.iterdir())
        assert "Traceback" not in server.output()


@pytest.mark.long
def test_options_set_the_limits() -> None:
    """An idle connection is closed at the setting's time, and clients get the close code."""
    env = {"SOCKET_IDLE_SECONDS": "3", "SOCKET_FRAME_BYTES": "1000"}
    with running_gateway(env, ["--workers", "1"]) as server:
        for text, code in (("", 1001), ("x" * 1001, 1009)):
            with opened(sockets_of(server), "alice") as client:
                if text:
                    client.send(text)
                with pytest.raises(ConnectionClosed) as closed:
                    client.recv(TIMEOUT_SECONDS)
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == code


def test_the_limits_are_api_gateways() -> None:
    """Without settings the limits are those of the developer guide."""
    limits = parse([], {}).limits
    assert limits == Limits()
    assert (limits.idle_seconds, limits.life_seconds) == (600, 7200)
    assert (limits.frame_bytes, limits.message_bytes) == (32 * 1024, 128 * 1024)


@pytest.mark.parametrize(
    ("env", "expected"),
    [
        ({"SOCKET_IDLE_SECONDS": "0"}, "socket-idle-seconds"),
        ({"SOCKET_FRAME_BYTES": "many"}, "socket-frame-bytes"),
        ({"PUSH_BY_WIRE": "yes"}, "push-by-wire"),
        ({"PARLEY_SOCKET_URL": "localhost"}, "PARLEY_SOCKET_URL"),
    ],
)
def test_invalid_setting_is_one_line_that_names_it(
    tmp_path: Path, env: dict[str, str], expected: str
) -> None:
    """The error of an invalid value is one line that names it."""
    status, said = refusal([], {"DATA": str(tmp_path / "data"), "PORT": "0", **env})
    assert status in (1, 2)
    assert is_one_line(said)
    assert expected in said


@pytest.mark.parametrize(
    ("args", "port"), [([], "8081"), (["--socket-port", "8081"], ""), (["--socket-port=0"], "")]
)
def test_former_port_of_websockets_is_one_line_that_says_what_to_do(args: list[str], port: str) -> None:
    """SOCKET_PORT, the port that WebSockets had before, is an error that names the port of today."""
    told = "parley: SOCKET_PORT is gone: WebSockets are on PORT now. Unset it.\n"
    assert refusal(args, {"PORT": "0", "SOCKET_PORT": port}) == (2, told)
