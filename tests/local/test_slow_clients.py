"""Clients that stall, are slow or break off, beside others."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx

from tests.deployed.client import Api, check_problem, new_pair
from tests.local.raw_http import Peer, port_of
from tests.servers.gateway import Gateway

STALLED, SENDS = 12, 15
"""Fewer connections than a slow machine serves within the time limit of a body."""
MIB = 1024 * 1024


def test_stalled_bodies_hold_nobody_up(shared: Gateway) -> None:
    """While 12 clients have sent half a body, others are served; the 12 are too, once they send the rest."""
    chat, alice, _ = new_pair()
    body = json.dumps({"chat": chat, "sender": alice, "text": "at last"}).encode()
    head = ("POST /api/send HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}")
    stalled = [Peer(port_of(shared.url)) for _ in range(STALLED)]
    for peer in stalled:
        peer.send(*head, body=body[:10])
    api = Api(shared.url)
    for number in range(SENDS):
        assert api.send(chat=chat, sender=alice, text=f"meanwhile {number}").status_code == 204
    for peer in stalled:
        peer.socket.sendall(body[10:])
    assert [peer.answer().status for peer in stalled] == [204] * STALLED
    texts = [message["text"] for message in api.pull(chat=chat, limit=100)["messages"]]
    assert texts == [f"meanwhile {number}" for number in range(SENDS)] + ["at last"] * STALLED
    for peer in stalled:
        peer.socket.close()
    api.close()


def test_stalled_heads_hold_nobody_up(shared: Gateway) -> None:
    """Half a head delays nobody either."""
    stalled = [Peer(port_of(shared.url)) for _ in range(STALLED)]
    for peer in stalled:
        peer.socket.sendall(b"POST /api/send HTT")
    assert httpx.get(f"{shared.url}/ping").status_code == 200
    for peer in stalled:
        peer.socket.close()


def test_ten_megabytes_are_a_413(shared: Gateway) -> None:
    """A client that sends 10 MB, with a length or without, can read the 413."""

    def pieces() -> Iterator[bytes]:
        for _ in range(10):
            yield bytes(MIB)

    for content in (bytes(10 * MIB), pieces()):
        response = httpx.post(f"{shared.url}/api/send", content=content, timeout=30)
        assert response.status_code == 413
        check_problem(response)


def test_a_body_cut_off_stores_nothing(shared: Gateway) -> None:
    """A client that vanishes before the end of its message sends nothing."""
    chat, alice, _ = new_pair()
    body = json.dumps({"chat": chat, "sender": alice, "text": "half"}).encode()
    for framing, sent in [
        (f"Content-Length: {len(body) + 1}", body),
        ("Transfer-Encoding: chunked", f"{len(body):x}\r\n".encode() + body + b"\r\n"),
    ]:
        peer = Peer(port_of(shared.url))
        peer.send("POST /api/send HTTP/1.1", "Host: localhost", framing, body=sent)
        peer.reset()
    api = Api(shared.url)
    assert api.send(chat=chat, sender=alice, text="whole").status_code == 204
    assert [message["text"] for message in api.pull(chat=chat)["messages"]] == ["whole"]
    api.close()


def test_a_connection_serves_many_requests(shared: Gateway) -> None:
    """A connection is kept, after errors too."""
    with Peer(port_of(shared.url)) as peer:
        for path, status in [("/ping", 200), ("/nowhere", 404), ("/api/pull?limit=-1", 400), ("/ping", 200)]:
            peer.send(f"GET {path} HTTP/1.1", "Host: localhost")
            assert peer.answer().status == status


def test_no_client_put_a_traceback_in_the_log(shared: Gateway) -> None:
    """After broken clients of every kind the log has no traceback, and the server still answers."""
    for head, body in [
        (["GET /pi"], b""),
        (["POST /api/send HTTP/1.1", "Host: localhost", "Content-Length: 100"], b'{"chat'),
        (["POST /api/send HTTP/1.1", "Host: localhost", "Transfer-Encoding: chunked"], b"5\r\n{"),
        (["GET /openapi.json HTTP/1.1", "Host: localhost"], b""),
    ]:
        peer = Peer(port_of(shared.url))
        peer.send(*head, body=body)
        peer.reset()
    assert httpx.get(f"{shared.url}/ping").status_code == 200
    assert "Traceback" not in shared.output()
