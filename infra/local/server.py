"""The server: worker processes behind one port, from the start to the end."""

from __future__ import annotations

import contextlib
import http.client
import sys
import threading
import time
from collections.abc import Callable

from infra.local.ports import ANY_ADDRESS, Port
from infra.local.shutdown import Shutdown
from infra.local.supervisor import Workers

READY_SECONDS = 60.0
POLL_SECONDS = 0.05
WORKER = "infra.local.worker"


def serve(port: Port, workers: int, shutdown: Shutdown, when_ready: Callable[[], None]) -> None:
    """Serve until a signal or a failure.

    when_ready: is called once, from another thread, when a request is answered.
    """
    running = Workers([sys.executable, "-m", WORKER, *port.words], workers, shutdown, port.shared)
    with running:
        threading.Thread(target=_await_ready, args=(port, shutdown, when_ready), daemon=True).start()
        shutdown.await_request()


def _await_ready(port: Port, shutdown: Shutdown, when_ready: Callable[[], None]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not shutdown.requested:
        if _answers(port.address, port.number):
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
