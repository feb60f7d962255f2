"""MiniStack as a process of this machine."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.emulator.environments import ROOT, environment
from infra.emulator.process import Emulator, free_port, served
from infra.local.shutdown import Shutdown

FOLDER = Path(os.environ.get("PARLEY_MINISTACK_FOLDER") or ROOT / ".ministack")
REQUIREMENTS = Path(__file__).parent / "requirements.txt"
# Other than the defaults: listen on 127.0.0.1 alone, by that name, on one port; functions are processes.
SETTINGS = {
    "BIND_HOST": "127.0.0.1",
    "MINISTACK_HOST": "127.0.0.1",
    "IOT_MTLS_ENABLED": "0",
    "SFTP_ENABLED": "0",
    "LAMBDA_EXECUTOR": "local",
}


class MiniStack(Emulator):
    """A running MiniStack; environment: Variables of every function that does not set them itself."""

    name = "MiniStack"
    ready = b"] Ready "

    def __init__(
        self, port: int, folder: Path, python: Path, environment: Mapping[str, str], store: Path | None
    ) -> None:
        variables = {**SETTINGS, "GATEWAY_PORT": str(port), **environment}
        super().__init__(port, folder, (python, "ministack"), variables, store)
        self.functions_log = self.log


@contextlib.contextmanager
def running(
    port: int,
    folder: Path,
    shutdown: Shutdown,
    environment: Mapping[str, str],
    store: Path | None,
) -> Iterator[MiniStack]:
    """Run MiniStack on a port; see infra.emulator.stack.Start."""
    port = free_port(port, "ministack")
    server = MiniStack(port, folder, installed(shutdown), environment, store)
    with served(server, shutdown, FOLDER):
        yield server


def installed(shutdown: Shutdown) -> Path:
    """Return MiniStack's interpreter, and install it at first use. Raises StartError on failure."""
    # Functions run in its Python, so it is the one that they are packaged with.
    return environment(FOLDER / "server", REQUIREMENTS, lambda: sys.executable, shutdown)
