"""The end of LocalStack with its processes, which only this machine can reach."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.servers.leftovers import LOOPBACK, addresses, processes
from tests.servers.localstack import LocalStackServer, running_localstack
from tests.servers.waiting import eventually

LOCALSTACK, FUNCTION, STORE = "localstack.runtime.main", "awslambdaric", "valkey-server"
END_SECONDS = 30.0


def running(folder: Path) -> set[str]:
    """Return which of LocalStack, function and store run with their data in a folder."""
    commands = processes(folder).values()
    return {what for what in (LOCALSTACK, FUNCTION, STORE) if any(what in command for command in commands)}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[LocalStackServer]:
    """A server for one test, which has its temporary folders in the test's own."""
    with running_localstack({"TMPDIR": str(tmp_path)}) as server:
        assert running(tmp_path) == {LOCALSTACK, FUNCTION, STORE}
        yield server
    for left in processes(tmp_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(left, signal.SIGKILL)


def test_nothing_listens_beyond_loopback(server: LocalStackServer) -> None:
    """LocalStack and the functions listen on 127.0.0.1 alone, on every port."""
    port = urlsplit(server.endpoint).port
    found = addresses(server.functions_log.parent, port)
    assert (LOOPBACK, port) in found
    assert {address for address, _ in found} == {LOOPBACK}


def test_sigterm_ends_everything(own: LocalStackServer, tmp_path: Path) -> None:
    """SIGTERM to the started process: status 0, no process and no temporary folder left."""
    own.process.send_signal(signal.SIGTERM)
    assert own.process.wait(END_SECONDS) == 0
    assert eventually(lambda: not processes(tmp_path))
    assert list(tmp_path.iterdir()) == []
    assert own.output().endswith("\nStopping\n")
    assert "parley:" not in own.output()
    assert "Traceback" not in own.output()


def test_killed_localstack_ends_the_server_with_one_line(own: LocalStackServer, tmp_path: Path) -> None:
    """After LocalStack is killed the server says so in one line and fails, with everything stopped."""
    (killed,) = [pid for pid, command in processes(tmp_path).items() if LOCALSTACK in command]
    os.kill(killed, signal.SIGKILL)
    assert own.process.wait(END_SECONDS) == 1
    assert [line for line in own.output().splitlines() if line.startswith("parley:")] == [
        "parley: LocalStack has ended by itself"
    ]
    assert "Traceback" not in own.output()
    assert eventually(lambda: not processes(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_a_killed_server_leaves_nothing(own: LocalStackServer, tmp_path: Path) -> None:
    """After the server is killed LocalStack ends by itself, with functions, store and their files."""
    own.process.kill()
    own.process.wait()
    assert eventually(lambda: not processes(tmp_path) and not list(tmp_path.iterdir()))
