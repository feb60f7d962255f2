"""The plugins, in the form LocalStack loads them; what they need is imported when they are used."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sys
import threading
from typing import TYPE_CHECKING, Any

from localstack.runtime import hooks
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin

if TYPE_CHECKING:
    from .executor import ProcessExecutor


class ProcessExecutorPlugin(RuntimeExecutorPlugin):  # type: ignore[misc] # LocalStack carries no types
    """Chosen by LAMBDA_RUNTIME_EXECUTOR=process."""

    name = "process"

    def load(self, *args: Any, **kwargs: Any) -> type[ProcessExecutor]:
        """Return the executor's class."""
        from .executor import ProcessExecutor

        return ProcessExecutor


@hooks.on_infra_start()
def render_gateway_responses() -> None:
    """Have API Gateway's own errors rendered by the API's GatewayResponses."""
    from . import gateway_responses

    gateway_responses.install()


@hooks.on_infra_start()
def end_with_parent() -> None:
    """End LocalStack, and what runs beside it, when its standard input closes: who started it is gone.

    PARLEY_END_STORE: the socket of a store that is to end as well, empty for none. TMPDIR: removed.
    """
    if "PARLEY_END_STORE" in os.environ:
        threading.Thread(target=_end_at_eof, daemon=True).start()


def _end_at_eof() -> None:
    sys.stdin.buffer.read()
    if store := os.environ["PARLEY_END_STORE"]:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(store)
            connection.sendall(b"SHUTDOWN\r\n")
            connection.recv(1)  # nothing comes: the store closes once its data is on disk
    shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)
    os.killpg(os.getpgrp(), signal.SIGKILL)
