"""The end of the server, and the failures that it survives."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.deployed.client import Api
from tests.local.processes import processes, store, workers
from tests.local.raw_http import Peer, port_of
from tests.servers.commands import make
from tests.servers.engines import ValkeyEngine
from tests.servers.gateway import Gateway, running_gateway
from tests.servers.process import STOP_SECONDS
from tests.servers.waiting import eventually

pytestmark = pytest.mark.long


def send(server: Gateway, text: str) -> None:
    """Send one message."""
    message = {"chat": "a:b", "sender": "a", "text": text}
    assert httpx.post(f"{server.url}/api/send", json=message).status_code == 204


def texts(server: Gateway) -> list[str]:
    """Return the texts of the chat."""
    response = httpx.get(f"{server.url}/api/pull?chat=a:b&limit=100")
    return [message["text"] for message in response.json()["messages"]]


def is_healthy(server: Gateway) -> bool:
    """Return whether the store answers through the server."""
    try:
        return httpx.get(f"{server.url}/health").status_code == 200
    except httpx.HTTPError:
        return False


@pytest.mark.parametrize(
    ("number", "to_all"),
    [(signal.SIGINT, True), (signal.SIGHUP, True), (signal.SIGTERM, True), (signal.SIGTERM, False)],
)
def test_a_signal_ends_everything(server: Gateway, number: signal.Signals, to_all: bool) -> None:
    """Ctrl-C, a closed terminal and SIGTERM, once or twice, to one or all: status 0, nothing left."""
    send(server, "before")
    stalled = Peer(port_of(server.url))
    stalled.send("POST /api/send HTTP/1.1", "Host: localhost", "Content-Length: 9")
    for _ in range(2):
        (os.killpg if to_all else os.kill)(server.process.pid, number)
    assert server.process.wait(STOP_SECONDS) == 0
    with contextlib.suppress(ConnectionError):
        assert stalled.socket.recv(1) == b"", "the server waited for the rest of the body"
    assert eventually(lambda: not processes(server))
    assert "Traceback" not in server.output()
    assert "died" not in server.output()
    stalled.socket.close()


def test_server_under_nohup_survives_its_terminal(tmp_path: Path) -> None:
    """Under nohup the server survives its terminal, and SIGTERM still ends it."""
    server = Gateway(tmp_path, {}, ["--workers", "2"], hangup=signal.SIG_IGN)
    try:
        server.wait_until_ready()
        os.killpg(server.process.pid, signal.SIGHUP)
        send(server, "still here")
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(STOP_SECONDS) == 0
        assert eventually(lambda: not processes(server))
    finally:
        server.stop()


@pytest.mark.parametrize("moment", ["valkey-server", "infra.local.event_sources", "infra.local.worker"])
def test_ctrl_c_during_the_start(tmp_path: Path, moment: str) -> None:
    """Ctrl-C during the start ends everything too, with status 0 and no traceback."""
    server = Gateway(tmp_path, {}, ["--workers", "2"])
    try:
        assert eventually(lambda: any(moment in command for command in processes(server).values()))
        os.killpg(server.process.pid, signal.SIGINT)
        assert server.process.wait(STOP_SECONDS) == 0
        assert eventually(lambda: not processes(server))
        assert "Traceback" not in server.output()
    finally:
        server.stop()


def test_a_restart_keeps_the_messages(tmp_path: Path) -> None:
    """Messages sent before a stop are there at the next start."""
    args = ["--data", str(tmp_path), "--workers", "1"]
    for expected in ([], ["first"]):
        with running_gateway(args=args) as server:
            assert texts(server) == expected
            send(server, "first")


def test_a_killed_store_comes_back(server: Gateway) -> None:
    """When Valkey is killed it is started again, with all messages, and says so in two lines."""
    send(server, "before")
    killed = store(server)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: "Valkey is back." in server.output() and is_healthy(server))
    assert store(server) not in (killed, None)
    assert texts(server) == ["before"]
    send(server, "after")
    assert [line for line in server.output().splitlines() if line.startswith("parley:")] == [
        "parley: Valkey died; starting it again.",
        "parley: Valkey is back.",
    ]


def kill(killing: list[int]) -> None:
    """Kill processes, if they exist."""
    for process in killing:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def kill_each_successor(find: Callable[[], list[int]], times: int) -> None:
    """Kill a process and some of its successors, each as soon as it exists."""
    killed: set[int] = set()
    for _ in range(times):
        assert eventually(lambda: not killed.issuperset(find()))
        found = find()
        kill(found)
        killed.update(found)


def test_a_store_that_keeps_dying_is_started_each_time(server: Gateway) -> None:
    """After repeated kills Valkey comes back, and one line says that it died."""
    send(server, "before")
    kill_each_successor(lambda: [running] if (running := store(server)) else [], 3)
    assert eventually(lambda: is_healthy(server))
    assert texts(server) == ["before"]
    assert server.output().count("parley: Valkey died; starting it again.") == 1


def test_workers_that_keep_dying_are_replaced_each_time(server: Gateway) -> None:
    """Workers come back, too, after repeated kills."""
    kill_each_successor(lambda: workers(server), 3)
    assert eventually(lambda: is_healthy(server))
    assert server.process.poll() is None


def test_a_killed_worker_is_replaced(server: Gateway) -> None:
    """When a worker is killed another one takes its place, and the rest serve meanwhile."""
    assert eventually(lambda: len(workers(server)) == 2)
    killed, kept = workers(server)
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: len(set(workers(server)) - {killed}) == 2)
    assert kept in workers(server)
    assert eventually(lambda: is_healthy(server))


@pytest.mark.parametrize("parent", [None, "tests.servers.parent"])
def test_a_killed_server_leaves_nothing(short_path: Path, parent: str | None) -> None:
    """Of a server that is killed, or whose make is, nothing runs on, and no temporary file is left.

    What it acknowledged is kept, and the next server on the same folder removes what is left there.
    """
    (temporary := short_path / "tmp").mkdir()
    (first := short_path / "first").mkdir()
    args = ["--data", str(short_path / "data"), "--workers", "2", "--end-with-parent", "1"]
    server = Gateway(first, {"TMPDIR": str(temporary)}, args, parent=parent)
    try:
        server.wait_until_ready()
        send(server, "before")
        server.process.kill()
        server.process.wait()
        # A server whose make is gone has its folder until it has ended.
        assert parent is None or eventually(lambda: not processes(server))
        with running_gateway(args=["--data", str(short_path / "data"), "--workers", "1"]) as second:
            assert eventually(lambda: not processes(server))
            assert texts(second) == ["before"]
            assert len(list((short_path / "data" / "run").iterdir())) == 1
        assert list(temporary.iterdir()) == []
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("target", "command"),
    [
        ("run", "infra.local --end-with-parent 1"),
        ("localstack", "infra.localstack --end-with-parent"),
        ("ministack", "infra.ministack --end-with-parent"),
    ],
)
def test_what_make_runs_ends_with_make(target: str, command: str) -> None:
    """The recipes of servers use a leash: a killed make cannot stop its processes."""
    assert command in make("--dry-run", target).stdout


LEASHED = "import sys; sys.platform = {!r}; from infra.local.store import leash; leash.main()"
STARTING = "import os, subprocess, sys; subprocess.Popen([*{!r}, str(os.getpid()), *{!r}]).wait()"


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_a_program_on_a_leash_ends_with_its_parent(platform: str) -> None:
    """A killed process ends the processes on its leash, by the kernel's help or without."""
    program = ["/bin/sh", "-c", "echo $$; exec sleep 600"]
    code = STARTING.format([sys.executable, "-c", LEASHED.format(platform)], program)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        started = int(parent.stdout.readline())
        parent.kill()
    assert eventually(lambda: not Path(f"/proc/{started}").exists())


def test_redis_url_replaces_the_embedded_valkey(tmp_path: Path) -> None:
    """With REDIS_URL messages go there, no Valkey starts, and the store outlives the server."""
    with ValkeyEngine() as engine:
        with running_gateway({"REDIS_URL": engine.url}, ["--workers", "1"]) as server:
            assert store(server) is None
            send(server, "elsewhere")
        with running_gateway({"REDIS_URL": engine.url}, ["--workers", "1"]) as server:
            assert texts(server) == ["elsewhere"]


def test_what_it_says(server: Gateway) -> None:
    """The start names the URL, a call to paste and the data folder, and the call works unchanged."""
    said = server.output()
    assert f"Parley is ready on {server.url}\n" in said
    assert f"curl -i {server.url}/api/send" in said
    assert "Messages are kept in /" in said
    api = Api(server.url)
    assert api.send(chat="alice:bob", sender="alice", text="hello").status_code == 204
    assert api.pull(chat="alice:bob")["messages"][0]["text"] == "hello"
    api.close()
