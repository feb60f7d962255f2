"""Frames of a connection are handled side by side, and its end after all of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

import pytest
from websockets.sync.client import ClientConnection

from infra.local.sockets.connection import MAX_CALLS
from tests.local.connection_edge import SocketServer, ask, id_of, running_sockets
from tests.local.raw_http import TIMEOUT_SECONDS


@pytest.fixture(scope="module")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SocketServer]:
    """A server of one worker."""
    with running_sockets(tmp_path_factory.mktemp("frames")) as server:
        yield server


@pytest.fixture
def name() -> str:
    """What the frames of one test wait for."""
    return uuid.uuid4().hex


def wait_for(client: ClientConnection, name: str, count: int = 1) -> None:
    """Send frames whose handlers wait."""
    for _ in range(count):
        client.send(json.dumps({"do": "wait", "for": name}))


def let_go(client: ClientConnection, name: str) -> None:
    """Let the handlers go on that wait for a name."""
    client.send(json.dumps({"do": "let go", "what": name}))


def test_waiting_frame_delays_no_later_frame(echo: SocketServer, name: str) -> None:
    """A frame is answered while an earlier one of the same connection waits, which it can let go on."""
    with echo.open() as client:
        wait_for(client, name)
        client.send("later")
        assert client.recv(TIMEOUT_SECONDS) == "later"
        let_go(client, name)
        assert client.recv(TIMEOUT_SECONDS) == name


def test_connection_has_limited_number_of_frames_under_way(echo: SocketServer, name: str) -> None:
    """Frames beyond the limit wait, of that connection only; its pings are answered."""
    with echo.open() as client, echo.open() as other:
        wait_for(client, name, MAX_CALLS)
        client.send("one too many")
        assert client.ping().wait(TIMEOUT_SECONDS)
        assert ask(other, do="tell")["event"]
        with pytest.raises(TimeoutError):
            client.recv(0)
        let_go(other, name)
        received = [client.recv(TIMEOUT_SECONDS) for _ in range(MAX_CALLS + 1)]
    assert received.count(name) == MAX_CALLS
    assert "one too many" in received


def test_disconnect_comes_after_waiting_frames(echo: SocketServer, name: str) -> None:
    """The end of a connection is handled when all its frames have been."""
    with echo.open() as other:
        with echo.open() as client:
            connection = id_of(client)
            wait_for(client, name)
            assert client.ping().wait(TIMEOUT_SECONDS)
        for _ in range(10):
            assert ask(other, do="tell")["event"]
        assert connection not in echo.ends()
        let_go(other, name)
        assert echo.end_of(connection)["disconnectStatusCode"] == 1000
