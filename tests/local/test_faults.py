"""Faults of the machine that a running server survives: killed processes, no files to open, a full disk."""

from __future__ import annotations

import contextlib
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import redis

from chalicelib.push_gateway.pusher import Outcome, OutgoingFrame
from infra.local.sockets.pushing import LocalPusher
from infra.local.sockets.shared import Meeting, SocketSettings, new_connection_id
from tests.local.processes import processes, store, workers
from tests.local.test_event_sources import NEVER, is_pending, lines, make_pending, put, raw, sources
from tests.local.test_shutdown import is_healthy, kill, send, texts
from tests.local.test_startup_errors import is_one_line
from tests.servers.gateway import Gateway, running_gateway
from tests.servers.process import ROOT, environment
from tests.servers.waiting import eventually

pytestmark = pytest.mark.long

HEALTHY = {"status": "ok", "store": "ok"}
FEW_FILES = 3  # fewer than any process has: it can open no more


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data folder of the server."""
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Gateway]:
    """A server that each test leaves in good order."""
    with running_gateway(args=["--workers", "2", *NEVER, "--data", str(data)]) as running:
        assert eventually(lambda: len(lines(running, "sweep")) == 1)
        yield running


@contextlib.contextmanager
def limited(process: int, kind: int, most: int) -> Iterator[None]:
    """Limit a resource of a running process for a while."""
    before = resource.prlimit(process, kind)
    resource.prlimit(process, kind, (most, before[1]))
    try:
        yield
    finally:
        resource.prlimit(process, kind, before)


def does_a_job(data: Path) -> bool:
    """Return whether a job put into the list is done."""
    with raw(f"unix://{data}/valkey.sock") as client:
        try:
            make_pending(client)
            put(client)
            return eventually(lambda: not is_pending(client))
        except redis.RedisError:
            return False


def health(server: Gateway) -> object:
    """Return the server's health; None if it is not 200."""
    with contextlib.suppress(httpx.HTTPError):
        answer = httpx.get(f"{server.url}/health")
        return answer.json() if answer.status_code == 200 else None
    return None


def test_all_children_killed_at_once(server: Gateway, data: Path) -> None:
    """Killed workers, store and event sources come back by themselves, and waiting jobs are done."""
    send(server, "before")
    with raw(f"unix://{data}/valkey.sock") as client:
        make_pending(client)
    kill([pid for pid in processes(server) if pid != server.process.pid])
    assert eventually(lambda: is_healthy(server) and len(workers(server)) == 2)
    assert texts(server)[-1] == "before"
    with raw(f"unix://{data}/valkey.sock") as client:
        assert eventually(lambda: not is_pending(client))


def test_no_descriptors_to_start_anything(server: Gateway, data: Path) -> None:
    """While no process can start, health shows that no jobs are done; then all come back, with one line."""
    send(server, "descriptors")
    with limited(server.process.pid, resource.RLIMIT_NOFILE, FEW_FILES):
        kill([pid for pid in (sources(server), workers(server)[0]) if pid is not None])
        assert eventually(lambda: health(server) == {**HEALTHY, "jobs": "down"})
        kill([pid for pid in (store(server),) if pid is not None])
        assert eventually(lambda: health(server) is None)
        assert eventually(lambda: "Valkey does not start" in server.output())
    assert eventually(lambda: health(server) == HEALTHY and len(workers(server)) == 2)
    assert texts(server)[-1] == "descriptors"
    assert does_a_job(data)
    assert server.output().count("The event sources cannot be started: Too many open files.") == 1
    assert server.output().count("A worker cannot be started") == 1
    assert "Traceback" not in server.output()


def test_store_that_dies_on_a_full_disk_is_restarted_read_only(server: Gateway) -> None:
    """A store that dies on a full disk is readable at once, and takes writes when there is room."""
    send(server, "full")
    killed = store(server)
    with limited(server.process.pid, resource.RLIMIT_FSIZE, 0):
        kill([pid for pid in (killed,) if pid is not None])
        assert eventually(lambda: store(server) not in (None, killed) and health(server) == HEALTHY)
        assert texts(server)[-1] == "full"
        message = {"chat": "a:b", "sender": "a", "text": "refused"}
        path = f"{server.url}/api/send"
        assert eventually(lambda: httpx.post(path, json=message).json()["code"] == "store_full")
        held = store(server) or 0
        resource.prlimit(held, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert eventually(lambda: "The disk has space again" in server.output())
    send(server, "room")
    assert texts(server)[-2:] == ["full", "room"]


def test_a_removed_folder_of_sockets(server: Gateway, data: Path) -> None:
    """Socket files that are removed under the server are made again: the store's, and its workers'."""
    before = store(server)
    shutil.rmtree(data / "run")
    (data / "valkey.sock").unlink()
    assert eventually(lambda: store(server) not in (None, before) and health(server) == HEALTHY)
    assert eventually(lambda: len(list(data.glob("run/*/*.sock"))) == 2)
    kill(workers(server)[:1])
    assert eventually(lambda: len(workers(server)) == 2 and len(list(data.glob("run/*/*.sock"))) == 3)
    assert eventually(lambda: health(server) == HEALTHY)
    assert does_a_job(data)


def test_a_removed_folder_says_nothing_of_connections(tmp_path: Path) -> None:
    """While the folder of the socket files is missing a push fails, and no connection counts as gone."""
    settings = SocketSettings(port=1)
    connection = new_connection_id("abcdef")
    outcomes = []
    for folder in (tmp_path, tmp_path / "removed"):
        pusher = LocalPusher(Meeting(folder, settings))
        outcomes.append(pusher.push([OutgoingFrame([connection], b"text")]))
        pusher.end()
    assert outcomes == [Outcome([connection], []), Outcome([], [connection])]


def test_a_start_on_a_full_disk(tmp_path: Path) -> None:
    """The error is one line that names the folder, the cause and what to do."""
    done = subprocess.run(
        [sys.executable, "-m", "infra.local", "--port", "0", "--data", str(tmp_path / "data")],
        cwd=ROOT,
        env=environment({}),
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0)),
    )
    assert (done.returncode, is_one_line(done.stderr)) == (1, True), done.stderr
    assert f"DATA folder {tmp_path / 'data'} cannot be used: File too large. Free some space" in done.stderr
