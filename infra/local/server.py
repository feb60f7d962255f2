"""The HTTP server: Granian's worker processes behind one port."""

from __future__ import annotations

import contextlib
import errno
import http.client
import multiprocessing
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator

from granian.constants import HTTPModes, Interfaces, Loops, RuntimeModes
from granian.http import HTTP1Settings

from infra.local.descriptors import http_connections, open_files
from infra.local.shutdown import Shutdown, StartError
from infra.local.workers import Workers

READY_SECONDS = 60.0
POLL_SECONDS = 0.05
HEAD_SECONDS = 20
STOP_SECONDS = 2  # for requests under way; a client that stalls is not waited for any longer
BACKLOG = 1024
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where to reach a server on all addresses


@contextlib.contextmanager
def claimed_port(address: str, port: int, setting: str = "PORT") -> Iterator[int]:
    """Yield the port of an address to listen on, any that is free for 0, and keep others off it.

    Granian's workers listen with SO_REUSEPORT, so that a second server would share a port without a word.
    setting: the variable that chooses it. Raises StartError when the port cannot be had.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe, socket.socket(family) as claim:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        claim.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        try:
            probe.bind((address, port))
            probe.close()
            claim.bind((address, port))
        except OSError as error:
            remedy = "PARLEY_HOST" if error.errno == errno.EADDRNOTAVAIL else setting
            raise StartError(
                f"Port {port} of {address} cannot be used: {error.strerror}. Set {remedy} to another."
            ) from None
        port = claim.getsockname()[1]
        if sys.platform != "linux":  # elsewhere a socket that is only bound would take connections
            claim.close()
        yield port


def serve(address: str, port: int, workers: int, shutdown: Shutdown, when_ready: Callable[[], None]) -> None:
    """Serve until a signal or a failure.

    when_ready: is called once, from another thread, when a request is answered.
    """
    multiprocessing.set_start_method("spawn", force=True)
    server = Workers(
        shutdown,
        "infra.local.worker:gateway",
        factory=True,
        address=address,
        port=port,
        interface=Interfaces.ASGI,
        runtime_mode=RuntimeModes.st,
        workers=workers,
        loop=Loops.uvloop,
        http=HTTPModes.http1,
        websockets=False,  # an upgrade is a request like any other, and sent to the port of the sockets
        http1_settings=HTTP1Settings(header_read_timeout=HEAD_SECONDS * 1000),
        backlog=BACKLOG,
        backpressure=http_connections(open_files()),
        log_enabled=False,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
    )

    server.on_startup(lambda: shutdown.hand_to(server.signal_handler_interrupt))
    threading.Thread(target=_await_ready, args=(address, port, shutdown, when_ready), daemon=True).start()
    try:
        server.serve()
    except SystemExit:
        if not shutdown.requested:
            shutdown.fail("The workers keep failing; their output above says why.")
    finally:
        shutdown.requested = True


def _await_ready(address: str, port: int, shutdown: Shutdown, when_ready: Callable[[], None]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not shutdown.requested:
        if _answers(address, port):
            shutdown.is_ready = True
            return when_ready()
        if time.monotonic() > deadline:
            return shutdown.fail(f"No worker answered within {READY_SECONDS:g} seconds.")
        time.sleep(POLL_SECONDS)


def _answers(address: str, port: int) -> bool:
    connection = http.client.HTTPConnection(ANY_ADDRESS.get(address, address), port, timeout=1)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/ping", headers={"Host": "localhost"})  # to which every server answers
        return connection.getresponse().status == http.HTTPStatus.OK
    return False
