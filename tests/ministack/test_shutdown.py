"""The end of MiniStack with its processes, which only this machine can reach."""

from __future__ import annotations

import contextlib
import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.servers.leftovers import LOOPBACK, addresses, processes
from tests.servers.process import ServerProcess
from tests.servers.waiting import eventually

pytestmark = [pytest.mark.ministack, pytest.mark.xdist_group("ministack")]

READY = re.compile(r"^Parley is on MiniStack at (\S+)$", re.MULTILINE)
START_SECONDS = 300.0  # the first start installs MiniStack
END_SECONDS = 30.0
SERVER, FUNCTION, STORE = "attended.py ministack", "_worker.py", "valkey-server"


def running(folder: Path) -> set[str]:
    """Return which of MiniStack, function and store run with their data in a folder."""
    commands = processes(folder).values()
    return {what for what in (SERVER, FUNCTION, STORE) if any(what in command for command in commands)}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server for one test, which has its temporary folders in the test's own."""
    arguments = ["infra.ministack", "--port", "0", "--ephemeral"]
    (tmp_path / "log").mkdir()
    (tmp_path / "files").mkdir()
    server = ServerProcess(tmp_path / "log", arguments, {"TMPDIR": str(tmp_path / "files")}, READY)
    server.wait_until_ready(START_SECONDS)
    assert running(tmp_path) == {SERVER, FUNCTION, STORE}
    yield server
    server.stop()
    for left in processes(tmp_path):
        with contextlib.suppress(ProcessLookupError):
            os.kill(left, signal.SIGKILL)


def test_sigterm_ends_everything(own: ServerProcess, tmp_path: Path) -> None:
    """MiniStack listens on 127.0.0.1 alone; SIGTERM ends it with status 0, nothing left."""
    port = urlsplit(own.url).port
    assert httpx.get(f"{own.url}/ping").json() == {"message": "pong"}
    assert {at for at, _ in addresses(tmp_path, port)} == {LOOPBACK}
    own.process.send_signal(signal.SIGTERM)
    assert own.process.wait(END_SECONDS) == 0
    assert eventually(lambda: not processes(tmp_path))
    assert list((tmp_path / "files").iterdir()) == []
    assert "parley:" not in own.output()
    assert "Traceback" not in own.output()


def test_killed_ministack_ends_the_server_with_one_line(own: ServerProcess, tmp_path: Path) -> None:
    """After MiniStack is killed the server says so in one line and fails, with everything stopped."""
    (killed,) = [pid for pid, command in processes(tmp_path).items() if SERVER in command]
    os.kill(killed, signal.SIGKILL)
    assert own.process.wait(END_SECONDS) == 1
    lines = [line for line in own.output().splitlines() if line.startswith("parley:")]
    assert lines == ["parley: MiniStack has ended by itself"]
    assert eventually(lambda: not processes(tmp_path) and not list((tmp_path / "files").iterdir()))


def test_a_killed_server_leaves_nothing(own: ServerProcess, tmp_path: Path) -> None:
    """After the server is killed MiniStack ends by itself, with functions, store and their files."""
    own.process.kill()
    own.process.wait()
    assert eventually(lambda: not processes(tmp_path) and not list((tmp_path / "files").iterdir()))
