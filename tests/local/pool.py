"""`python -m tests.local.pool FACTORY PORT WORKERS`: the server's workers over a gateway of these tests.

A worker is `python -m tests.local.pool FACTORY ADDRESS PORT [SHARED]` with `worker` before FACTORY.
"""

from __future__ import annotations

import importlib
import sys

from infra.local import loop
from infra.local.ports import Port, claimed_port
from infra.local.shutdown import Shutdown
from infra.local.supervisor import Workers

MODULE = "tests.local.pool"


def serve(factory: str, port: str, workers: str, *shared: str) -> None:
    """Run workers on a port of 127.0.0.1 until SIGTERM; shared: whether they share a socket."""
    shutdown = Shutdown()
    shutdown.listen()
    shutdown.is_ready = True
    with claimed_port("127.0.0.1", int(port), spreads=not shared) as claimed:
        command = [sys.executable, "-m", MODULE, "worker", factory, *claimed.words]
        with Workers(command, int(workers), shutdown, claimed.shared):
            shutdown.await_request()


def work(factory: str, *port: str) -> None:
    """Serve the gateway that a function makes, such as `tests.local.echo:gateway`."""
    loop.end_with_server()
    module, _, name = factory.partition(":")
    loop.run(getattr(importlib.import_module(module), name)(), Port.from_words(*port))


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        work(*sys.argv[2:])
    else:
        serve(*sys.argv[1:])
