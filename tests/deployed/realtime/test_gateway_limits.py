"""API Gateway's limits of WebSockets: text frames, and their sizes."""

from __future__ import annotations

import contextlib
import json

import pytest
from websockets.exceptions import ConnectionClosed

from chalicelib.schemas.realtime import MAX_FRAME_BYTES, MAX_MESSAGE_BYTES
from tests.deployed.realtime.users import Net

PAST = 1


def padded(size: int) -> str:
    """Return a ping as text of a size in bytes."""
    return json.dumps({"type": "ping", "ref": "p"}).ljust(size)


def test_binary_is_refused(net: Net) -> None:
    """A binary frame closes the connection with 1003."""
    device = net.device(net.someone(), hello=False)
    device.raw(b'{"type":"ping","ref":"b"}')
    if net.target.differs("binary-is-taken-as-text"):
        assert device.expect("pong")["ref"] == "b"
    else:
        assert device.close_code() == 1003


def test_a_frame_of_32_kib_is_taken(net: Net) -> None:
    """The largest frame is handled, one byte more closes the connection with 1009."""
    device = net.device(net.someone(), hello=False)
    device.raw(padded(MAX_FRAME_BYTES))
    assert device.expect("pong")["ref"] == "p"
    device.raw(padded(MAX_FRAME_BYTES + PAST))
    if net.target.differs("sockets-have-no-limits"):
        assert device.expect("pong")["ref"] == "p"
    else:
        assert device.close_code() == 1009


def test_a_message_of_128_kib_is_taken(net: Net) -> None:
    """The largest message, in frames of 32 KiB, is handled; one byte more closes it with 1009."""
    device = net.device(net.someone(), hello=False)
    device.socket.send(pieces(padded(MAX_MESSAGE_BYTES)))
    assert device.expect("pong")["ref"] == "p"
    with contextlib.suppress(ConnectionClosed):  # before the last piece is sent
        device.socket.send(pieces(padded(MAX_MESSAGE_BYTES + PAST)))
    if net.target.differs("sockets-have-no-limits"):
        assert device.expect("pong")["ref"] == "p"
    else:
        assert device.close_code() == 1009


def pieces(text: str) -> list[str]:
    """Return a text in frames of the maximum size."""
    return [text[at : at + MAX_FRAME_BYTES] for at in range(0, len(text), MAX_FRAME_BYTES)]


def test_a_room_in_the_path(net: Net) -> None:
    """The laptop's server takes a room from the path of the upgrade, on the port of its API too."""
    if net.target.kind != "gateway":
        pytest.skip("a WebSocket API of API Gateway has no paths")
    person = net.someone()
    room = net.room(person)
    for base in (net.ticket(person)["url"], net.target.url.replace("http", "ws", 1)):
        query = net.url(person).partition("?")[2]
        device = net.open(f"{base}/ws/joinRoom/{room}?{query}")
        device.hello()
        assert device.expect("room", event="joined")["room"] == room
