"""LocalStack as a process of this machine."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.emulator.process import Emulator, free_port, served
from infra.local.shutdown import Shutdown
from infra.localstack.environments import FOLDER, Environments, installed

PLUGIN = Path(__file__).parent / "plugin"
MODULE = "localstack.runtime.main"
# Other than the documented defaults: listen on 127.0.0.1 alone (the default server ignores the address),
# send no usage data, load no certificate, start no DNS server, and have a function ready when it is created.
SETTINGS = {
    "GATEWAY_SERVER": "hypercorn",
    "DISABLE_EVENTS": "1",
    "SKIP_SSL_CERT_DOWNLOAD": "1",
    "DNS_ADDRESS": "0",
    "OVERRIDE_IN_DOCKER": "0",
    "LAMBDA_SYNCHRONOUS_CREATE": "1",
    "LAMBDA_RUNTIME_EXECUTOR": "process",
    "PYTHONPATH": str(PLUGIN),
}


class LocalStack(Emulator):
    """A running LocalStack; environment: Variables of every function that does not set them itself."""

    name = "LocalStack"
    ready = b"\nReady.\n"

    def __init__(
        self,
        port: int,
        folder: Path,
        pythons: Environments,
        environment: Mapping[str, str],
        store: Path | None,
    ) -> None:
        self.functions_log = folder / "functions.log"
        variables = {
            **SETTINGS,
            "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "FILESYSTEM_ROOT": str(folder / "files"),
            "PARLEY_LAMBDA_PYTHON": str(pythons.functions),
            "PARLEY_LAMBDA_ENVIRONMENT": json.dumps(dict(environment)),
            "PARLEY_LAMBDA_LOG": str(self.functions_log),
        }
        super().__init__(port, folder, (pythons.server, MODULE), variables, store)


@contextlib.contextmanager
def running(
    port: int,
    folder: Path,
    shutdown: Shutdown,
    environment: Mapping[str, str] | None = None,
    store: Path | None = None,
) -> Iterator[LocalStack]:
    """Run LocalStack on a port; see infra.emulator.stack.Start."""
    port = free_port(port, "localstack")
    server = LocalStack(port, folder, installed(shutdown), environment or {}, store)
    with served(server, shutdown, FOLDER):
        yield server
