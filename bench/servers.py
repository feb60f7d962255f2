"""The HTTP servers that are compared."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.local import options

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60.0
STOP_SECONDS = 15.0
POLL_SECONDS = 0.05
NOT_PASSED_ON = ("PARLEY_", "REDIS_", "GRANIAN_")
NOT_PASSED_ON_NAMES = frozenset({"HOST", "PORT", "SOCKET_PORT", "DATA", "WORKERS"})


class ServerError(Exception):
    """A server did not start; the message names its command."""


def workers() -> int:
    """Return the number of worker processes of each server, which is that of `make run`."""
    return options.parse([], {}).workers


@contextlib.contextmanager
def gateway(data: Path, environ: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run Parley's own server, as `make run` does, with its embedded Valkey in a folder; yield its URL.

    environ: Settings.
    """
    port = free_port()
    arguments = ["--port", str(port), "--data", str(data), "--workers", str(workers())]
    settings = {"SOCKET_PORT": str(free_port()), **(environ or {})}
    with _running([sys.executable, "-m", "infra.local", *arguments], port, "/ping", settings) as url:
        yield url


def gateway_store(data: Path) -> str:
    """Return the REDIS_URL of the Valkey that the gateway keeps in a folder."""
    return f"unix://{data / 'valkey.sock'}"


@contextlib.contextmanager
def chalice_local(redis_url: str) -> Iterator[str]:
    """Run `chalice local` on a store; yield its URL."""
    port = free_port()
    arguments = ["local", "--stage", "local", "--no-autoreload", "--port", str(port)]
    command = [sys.executable, "-c", "from chalice.cli import main; main()", *arguments]
    with _running(command, port, "/ping", {"REDIS_URL": redis_url}) as url:
        yield url


@contextlib.contextmanager
def hello() -> Iterator[str]:
    """Run the bare Granian application; yield its URL."""
    port = free_port()
    arguments = ["--interface", "rsgi", "--http", "1", "--loop", "uvloop", "--no-ws", "--no-log"]
    arguments += ["--workers", str(workers()), "--port", str(port), "bench.hello:app"]
    with _running([sys.executable, "-m", "granian", *arguments], port, "/", {}) as url:
        yield url


@contextlib.contextmanager
def _running(command: list[str], port: int, path: str, environ: Mapping[str, str]) -> Iterator[str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(NOT_PASSED_ON) and name not in NOT_PASSED_ON_NAMES
    }
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**kept, **environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C reaches only this process, which stops each server itself
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _await_answer(process, url + path)
        yield url
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
