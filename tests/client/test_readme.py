"""The READMEs' examples of the client and of Chalice's server, run as they are."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.client.test_chat import say
from tests.servers.commands import make
from tests.servers.engines import Engine
from tests.servers.ports import ReservedPort
from tests.servers.process import ROOT, environment

SNIPPET = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
URL = "http://127.0.0.1:8080"
SECONDS = 60.0


def snippet(path: Path, *, listens: bool) -> str:
    """Return the Python of a README for the server of `make run` that waits for messages, or does not."""
    (found,) = [
        code
        for code in SNIPPET.findall(path.read_text(encoding="utf-8"))
        if f'Client("{URL}"' in code and ("for event in" in code) is listens
    ]
    return str(found)


def test_first_snippet_of_the_client_sends_a_message(open_server: str) -> None:
    """The program that the client's README opens with prints the number of the message that it sends."""
    code = snippet(ROOT / "clients/python/README.md", listens=False).replace(URL, open_server)
    done = subprocess.run(
        [sys.executable, "-I", "-c", code],
        check=False,
        env=environment({}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, int(done.stdout) >= 1) == (0, True), done.stderr


@pytest.mark.parametrize("readme", ["README.md", "clients/python/README.md"])
def test_snippet_shows_messages(open_server: str, readme: str) -> None:
    """Pasted after `make run` it finds the client, sends, and prints incoming messages."""
    code = snippet(ROOT / readme, listens=True).replace(URL, open_server)
    process = subprocess.Popen(
        [sys.executable, "-I", "-u", "-c", code],
        env=environment({}),
        stdout=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    try:
        printed = _lines(process)
        assert any(line == "bob hi, Alice" for line in printed)
        say(open_server, "alice", "alice:bob", f"hi, {readme}")
        assert any(line == f"alice hi, {readme}" for line in printed)
    finally:
        process.kill()
        process.communicate()


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    """Return the lines that a process prints, as they come; it is killed after a time limit."""
    assert process.stdout
    late = threading.Timer(SECONDS, process.kill)
    late.start()
    try:
        for line in process.stdout:
            yield line.rstrip("\n")
    finally:
        late.cancel()


@pytest.mark.long
def test_readme_command_for_chalice_local_serves_the_routes(valkey: Engine, port: int) -> None:
    """README's command for Chalice's own server serves the routes when make runs it."""
    assert "make chalice-local" in (ROOT / "README.md").read_text(encoding="utf-8")
    done = make("--dry-run", "chalice-local", f"PORT={port}")
    command = shlex.split(done.stdout.splitlines()[-1].removeprefix("exec "))
    server = subprocess.Popen(command, cwd=ROOT, env=environment(valkey.env), process_group=0)
    try:
        message = {"chat": "alice:bob", "sender": "alice", "text": "hello"}
        assert _answer(f"http://127.0.0.1:{port}/ping", server).status_code == 200
        assert httpx.post(f"http://127.0.0.1:{port}/api/send", json=message).status_code == 204
        pulled = httpx.get(f"http://127.0.0.1:{port}/api/pull?chat=alice:bob").json()
        assert pulled["messages"][-1]["text"] == "hello"
    finally:
        os.killpg(server.pid, signal.SIGKILL)  # its reloader has a process of its own
        server.wait()


@pytest.fixture
def port() -> Iterator[int]:
    """A port for a server of the test."""
    with ReservedPort() as port:
        yield port


def _answer(url: str, server: subprocess.Popen[bytes]) -> httpx.Response:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            return httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError("the server did not come to serve")
