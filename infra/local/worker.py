"""What every worker process runs: the gateway over the application, for as long as the server lives."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
import time

from chalicelib.config import Settings
from chalicelib.http import OPERATIONS
from infra.local.gateway import Gateway
from infra.local.slow import keep_a_request_a_thread

GRACE_SECONDS = 5.0
GARBAGE_ALLOCATIONS = 20_000


def gateway() -> Gateway:
    """Return the application that a worker serves, and make the worker end when its server does."""
    from app import app

    keep_a_request_a_thread(app)
    _collect_less_garbage()
    threading.Thread(target=_outlive_nobody, daemon=True).start()
    slow = [(operation.method, operation.path) for operation in OPERATIONS if operation.slow]
    return Gateway(app, app.routes, Settings.from_env(), slow=slow)


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
        os._exit(1)
