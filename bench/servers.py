"""The HTTP servers that are compared."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from bench.trees import HERE, ROOT, Tree, has_socket_port
from infra.local import options

OPEN_FILES = 16_384
START_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.05
NOT_PASSED_ON = ("PARLEY_", "REDIS_", "GRANIAN_")
NOT_PASSED_ON_NAMES = frozenset({"HOST", "PORT", "SOCKET_PORT", "DATA", "WORKERS", "DISPATCH", "LOG"})


class ServerError(Exception):
    """A server did not start; the message names its command."""


class Served(NamedTuple):
    """A running server.

    url, sockets: URLs for HTTP and for WebSockets. pid: Of the process that started its others. store: The
    REDIS_URL of its store.
    """

    url: str
    sockets: str
    pid: int
    store: str


def workers() -> int:
    """Return the number of worker processes of each server, which is that of `make run`."""
    return options.parse([], {}).workers


@contextlib.contextmanager
def gateway(data: Path, environ: Mapping[str, str] | None = None, tree: Tree = HERE) -> Iterator[Served]:
    """Run Parley's own server, as `make run` does, with its embedded Valkey in a folder.

    environ: Settings. tree: The sources to run.
    """
    port, settings, socket_port = free_port(), dict(environ or {}), None
    if has_socket_port(tree):
        socket_port = free_port()
        settings["SOCKET_PORT"] = str(socket_port)
    command = [tree.python, "-m", "infra.local", "--port", str(port), "--data", str(data)]
    with _running(command, port, "/ping", settings, tree.root) as process:
        sockets = f"ws://127.0.0.1:{socket_port or port}"
        yield Served(f"http://127.0.0.1:{port}", sockets, process.pid, f"unix://{data / 'valkey.sock'}")


@contextlib.contextmanager
def chalice_local(redis_url: str) -> Iterator[str]:
    """Run `chalice local` on a store; yield its URL."""
    port = free_port()
    arguments = ["local", "--stage", "local", "--no-autoreload", "--port", str(port)]
    command = [sys.executable, "-c", "from chalice.cli import main; main()", *arguments]
    with _running(command, port, "/ping", {"REDIS_URL": redis_url}):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def hello() -> Iterator[str]:
    """Run the bare Granian application, a worker a core; yield its URL."""
    port = free_port()
    arguments = ["--interface", "rsgi", "--http", "1", "--loop", "uvloop", "--no-ws", "--no-log"]
    arguments += ["--workers", str(cores()), "--port", str(port), "bench.hello:app"]
    with _running([sys.executable, "-m", "granian", *arguments], port, "/", {}):
        yield f"http://127.0.0.1:{port}"


@contextlib.contextmanager
def parser_hello() -> Iterator[str]:
    """Run the bare application on httptools and uvloop, a process a core; yield its URL."""
    port = free_port()
    command = [sys.executable, "-m", "bench.parser_hello", str(port), str(cores())]
    with _running(command, port, "/", {}):
        yield f"http://127.0.0.1:{port}"


def allow_open_files() -> None:
    """Let this process, and the load generators and servers that it starts, open OPEN_FILES."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def cores() -> int:
    """Return the number of cores."""
    return os.cpu_count() or 1


def without_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without Parley's settings."""
    return {
        name: value
        for name, value in environ.items()
        if not name.startswith(NOT_PASSED_ON) and name not in NOT_PASSED_ON_NAMES
    }


@contextlib.contextmanager
def _running(
    command: list[str], port: int, path: str, environ: Mapping[str, str], folder: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        cwd=folder,
        env={**without_settings(os.environ), **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches only this process, which stops each server itself
    )
    try:
        _await_answer(process, f"http://127.0.0.1:{port}{path}")
        yield process
    finally:
        _stop(process)


def _await_answer(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServerError(f"{' '.join(map(str, process.args))} did not start")  # type: ignore[arg-type]
        time.sleep(POLL_SECONDS)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as response:  # noqa: S310 # a URL of our own
            return bool(response.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        pass
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_port() -> int:
    """Return a free port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
