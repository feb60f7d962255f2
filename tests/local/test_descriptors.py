"""Descriptors that run out: WebSockets are refused first, and HTTP continues."""

from __future__ import annotations

import logging
import resource
from collections import Counter
from pathlib import Path

import pytest

from infra.local.addresses import AddressLimit
from infra.local.descriptors import Descriptors, http_connections
from tests.local.connection_edge import UPGRADE, process_of, running_sockets
from tests.local.raw_http import Peer
from tests.servers.waiting import eventually

pytestmark = pytest.mark.long

LIMIT = 160
UNLIMITED = AddressLimit(connections=0)


def status(peer: Peer) -> int:
    """Ask for an upgrade, and return the status of the answer."""
    peer.send("GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", *UPGRADE)
    return peer.answer().status


def test_sockets_are_refused_before_http(tmp_path: Path) -> None:
    """Short of descriptors a worker answers WebSockets with 503, and HTTP keeps its share of connections."""
    with running_sockets(tmp_path, addresses=UNLIMITED) as server:
        first = server.open()
        process = process_of(first)
        most = resource.prlimit(process, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(process, resource.RLIMIT_NOFILE, (LIMIT, most))
        held: list[Peer] = []
        refused = None
        while refused is None and len(held) < LIMIT:
            peer = Peer(server.port)
            peer.send("GET / HTTP/1.1", "Host: localhost", "Connection: Upgrade", *UPGRADE)
            answer = peer.answer()
            refused = answer if answer.status != 101 else None
            held.append(peer)
        assert refused is not None
        assert (refused.status, refused.json["code"]) == (503, "overloaded")
        web = [server.peer() for _ in range(http_connections(LIMIT))]
        for peer in web:
            peer.send("GET /worker HTTP/1.1", "Host: localhost")
            assert peer.answer().status == 200
        for peer in [*web, *held]:
            peer.socket.close()

        def let_in() -> bool:
            with Peer(server.port) as peer:
                return status(peer) == 101

        assert eventually(let_in)
        assert eventually(lambda: server.output().count("descriptors_short") == 1)
        first.close()


def test_refused_connections_leave_descriptors_to_http(tmp_path: Path) -> None:
    """Clients that keep refused connections open take no descriptors from requests."""
    with running_sockets(tmp_path, addresses=UNLIMITED) as server:
        first = server.open()
        process = process_of(first)
        most = resource.prlimit(process, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(process, resource.RLIMIT_NOFILE, (LIMIT, most))
        held = [server.peer() for _ in range(2 * LIMIT)]
        statuses = Counter(status(peer) for peer in held)
        with server.peer() as peer:
            peer.send("GET /worker HTTP/1.1", "Host: localhost")
            assert peer.answer().status == 200
        assert statuses.keys() == {101, 503}
        for peer in held:
            peer.socket.close()
        first.close()


def test_one_line_a_change(caplog: pytest.LogCaptureFixture) -> None:
    """Connections that come and go at the limit are not logged; the return of free descriptors is."""
    descriptors = Descriptors(lambda: 1000)
    room = 1000 - http_connections(1000) - 125
    with caplog.at_level(logging.INFO, "parley"):
        offsets = (-1, 0, -1, 0, -51, 0)
        refused = [descriptors.refuses(room + offset) for offset in offsets]
    assert refused == [False, True, False, True, False, True]
    events = [record.msg["event"] for record in caplog.records if isinstance(record.msg, dict)]
    assert events == ["descriptors_short", "descriptors_back", "descriptors_short"]


@pytest.mark.parametrize(("limit", "most"), [(256, 64), (1024, 256), (20_000, 4096)])
def test_http_has_a_share_of_any_limit(limit: int, most: int) -> None:
    """However few files a process may open, HTTP alone never takes them all."""
    assert http_connections(limit) == most
