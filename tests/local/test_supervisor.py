"""The worker processes of a server: who gets connections, and what is left of them at a stop."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from infra.local.ports import Port, claimed_port
from infra.local.shutdown import Shutdown, StartError
from infra.local.supervisor import Workers
from tests.local.pool import MODULE
from tests.local.raw_http import Peer
from tests.servers.ports import ReservedPort
from tests.servers.process import ROOT, STOP_SECONDS, environment
from tests.servers.waiting import eventually

COUNT = 2
QUEUED = 5
TCP = (socket.AF_INET, socket.SOCK_STREAM)


class Pool:
    """A server of COUNT workers that answer with the ids of their processes."""

    def __init__(self, port: int, process: subprocess.Popen[bytes]) -> None:
        self.port = port
        self.process = process

    def peer(self) -> Peer:
        """Return a new connection that has sent a request."""
        peer = Peer(self.port)
        peer.send("GET / HTTP/1.1", "Host: localhost")
        return peer

    def answer(self) -> int | None:
        """Return the id of the worker that answers a new connection; None: there is no answer."""
        with contextlib.suppress(OSError), self.peer() as peer:
            return int(peer.answer().body)
        return None

    def workers(self) -> set[int]:
        """Return the ids of the workers, once all answer."""
        found: set[int | None] = set()

        def all_answer() -> bool:
            found.add(self.answer())
            return len(found - {None}) == COUNT

        assert eventually(all_answer)
        return {pid for pid in found if pid is not None}


@pytest.fixture(params=[[], ["shared"]], ids=["a socket each", "a shared socket"])
def pool(request: pytest.FixtureRequest) -> Iterator[Pool]:
    """A server whose workers have a socket each, or share one, as on macOS."""
    with ReservedPort() if not request.param else contextlib.nullcontext(0) as reserved:
        port = reserved or _free_port()
        arguments = ["tests.local.stub:gateway", str(port), str(COUNT), *request.param]
        command = [sys.executable, "-m", MODULE, *arguments]
        process = subprocess.Popen(command, cwd=ROOT, env=environment({}), start_new_session=True)
        try:
            yield Pool(port, process)
        finally:
            process.terminate()
            assert process.wait(STOP_SECONDS) in {0, -signal.SIGKILL}
            assert eventually(lambda: not _is_alive(-process.pid))


def _free_port() -> int:
    with ReservedPort() as port:
        return port


def test_every_worker_gets_connections_and_is_replaced_when_it_dies(pool: Pool) -> None:
    """Connections reach all workers; the others answer while a killed one is replaced."""
    first = pool.workers()
    killed = min(first)
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: pool.answer() == max(first))
    assert eventually(lambda: pool.answer() not in {None, *first})


def test_connections_that_wait_at_a_stop_are_answered(pool: Pool) -> None:
    """Requests whose connections no worker has accepted yet are answered before the server ends."""
    workers = pool.workers()
    for worker in workers:
        os.kill(worker, signal.SIGSTOP)
    waiting = [pool.peer() for _ in range(QUEUED)]
    pool.process.terminate()
    for worker in workers:
        os.kill(worker, signal.SIGCONT)
    for peer in waiting:
        with peer:
            assert int(peer.answer().body) in workers


def test_workers_end_with_a_killed_server(pool: Pool) -> None:
    """Of a server that is killed no worker is left."""
    workers = pool.workers()
    pool.process.kill()
    pool.process.wait()
    assert eventually(lambda: not any(_is_alive(worker) for worker in workers))


def test_start_ends_when_its_workers_keep_failing(capfd: pytest.CaptureFixture[str]) -> None:
    """Workers that die again before the first answer end the server, with one line."""
    shutdown = Shutdown()
    command = [sys.executable, "-c", "raise SystemExit(1)"]
    with Workers(command, COUNT, shutdown):
        shutdown.await_request()
    assert shutdown.failed
    assert capfd.readouterr().err == "parley: The workers keep failing; their output above says why.\n"


@pytest.mark.parametrize("spreads", [True, False])
def test_claimed_port_cannot_be_claimed_again(spreads: bool) -> None:
    """A second server is refused the port, whether workers share a socket or not."""
    with claimed_port("127.0.0.1", 0, spreads=spreads) as port:
        for again in (True, False):
            with pytest.raises(StartError, match="Set PORT to another"), _claimed(port, spreads=again):
                pass


@pytest.mark.parametrize("spreads", [True, False])
def test_port_can_be_claimed_while_connections_of_the_last_server_close(spreads: bool) -> None:
    """A server that starts right after another on the same port gets it."""
    with claimed_port("127.0.0.1", 0, spreads=spreads) as port, contextlib.ExitStack() as stack:
        own = stack.enter_context(port.listener() if spreads else socket.fromfd(port.shared or 0, *TCP))
        own.listen()
        peer = stack.enter_context(Peer(port.number))
        own.accept()[0].close()
        own.close()
        held = stack.pop_all()
    with held, _claimed(port, spreads=spreads) as again:
        assert again.number == port.number
        assert peer.socket.recv(1) == b""


def test_worker_on_all_ipv6_addresses_gets_ipv4_connections_too() -> None:
    """A worker that listens on `::` is reached by IPv4."""
    with claimed_port("::", 0) as port, port.listener() as own:
        own.listen()
        with Peer(port.number) as peer, own.accept()[0] as accepted:
            assert accepted.getpeername()[1] == peer.socket.getsockname()[1]


def _claimed(port: Port, *, spreads: bool) -> contextlib.AbstractContextManager[Port]:
    return claimed_port(port.address, port.number, spreads=spreads)


def _is_alive(process: int) -> bool:
    """Return whether a process exists, or one of a group whose id is given as negative."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, 0)
        return True
    return False
