"""`python -m infra.local.worker ADDRESS PORT`: a worker process, which serves as long as its server lives.

Its standard input is a pipe from the server, at whose end it ends.
"""

from __future__ import annotations

import gc
import sys
from typing import Any

from chalicelib import pauses, waits
from chalicelib.config import Settings
from chalicelib.http import OPERATIONS
from chalicelib.routes import connections
from chalicelib.store.redis import installed
from infra.local import loop, terminal_log
from infra.local.http.calls import chosen
from infra.local.http.gateway import Gateway
from infra.local.pipeline import greenlets
from infra.local.pipeline.nodes import node_on_loop
from infra.local.ports import Port
from infra.local.sockets.edge import Handlers
from infra.local.sockets.serving import Serving
from infra.local.sockets.shared import Meeting

GARBAGE_ALLOCATIONS = 20_000


def main(words: list[str]) -> None:
    """Serve on the port that the words of the command line name."""
    loop.end_with_server()
    loop.run(gateway(), Port.from_words(*words))


def gateway() -> Gateway:
    """Return what a worker serves."""
    import app as functions

    terminal_log.install()
    app = functions.app
    installed.install(node_on_loop)
    pauses.install(greenlets.pause)
    waits.install(greenlets.outcome)
    _collect_less_garbage()
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


if __name__ == "__main__":
    main(sys.argv[1:])
