"""What every worker process runs: the gateway over the application, for as long as the server lives."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import time
from typing import Any

from chalicelib.config import Settings
from chalicelib.http import OPERATIONS
from chalicelib.routes import connections
from chalicelib.store.redis import installed
from infra.local import line_writer, terminal_log
from infra.local.gateway import Gateway
from infra.local.http.calls import chosen
from infra.local.pipeline.current_request import let_calls_overlap
from infra.local.pipeline.nodes import node_on_loop
from infra.local.sockets.edge import Handlers
from infra.local.sockets.serving import Serving
from infra.local.sockets.shared import Meeting

GRACE_SECONDS = 5.0
GARBAGE_ALLOCATIONS = 20_000


def gateway() -> Gateway:
    """Return the application that a worker serves, and make the worker end when its server does."""
    import app as functions

    terminal_log.install()
    app = functions.app
    let_calls_overlap(app)
    installed.install(node_on_loop)
    _collect_less_garbage()
    threading.Thread(target=_outlive_nobody, daemon=True).start()
    slow = [(operation.method, operation.path) for operation in OPERATIONS if operation.slow]
    settings = Settings.from_env()
    return Gateway(chosen(app), app.routes, settings, slow=slow, sockets=_sockets(functions, settings))


def _sockets(functions: Any, settings: Settings) -> Serving | None:
    meeting = Meeting.from_env()
    if meeting is None:
        return None
    handlers = Handlers(
        functions.socket_connect, functions.socket_message, functions.socket_disconnect, connections.prove
    )
    return Serving(meeting, handlers, settings)


def _collect_less_garbage() -> None:
    """Leave what lives as long as the process out of every later collection, and collect less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(GARBAGE_ALLOCATIONS)


def _outlive_nobody() -> None:
    server = multiprocessing.parent_process()
    if server is not None:
        server.join()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE_SECONDS)
        line_writer.drain()
        os._exit(1)
