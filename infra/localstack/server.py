"""LocalStack as a process of this machine, on 127.0.0.1 only."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

from infra.local.shutdown import Shutdown, StartError
from infra.localstack.environments import FOLDER, Environments, installed

PLUGIN = Path(__file__).parent / "plugin"
START_SECONDS = 120.0
READY = b"\nReady.\n"
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
STOP_SECONDS = 2.0  # nothing that it holds is kept
KEPT = ("PATH", "LANG", "HOME", "PARLEY_CI_RUN")


class LocalStack:
    """A running LocalStack; endpoint: its URL. functions_log: what all functions wrote."""

    def __init__(
        self,
        port: int,
        folder: Path,
        pythons: Environments,
        environment: Mapping[str, str],
        store: Path | None,
    ) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self._log = folder / "localstack.log"
        self.functions_log = folder / "functions.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(pythons.server), "-m", "localstack.runtime.main"],
                env={**_kept(), **self._variables(port, folder, pythons.functions, environment, store)},
                cwd=folder,
                stdin=subprocess.PIPE,  # the plugin ends LocalStack when this closes, however we end
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _variables(
        self, port: int, folder: Path, python: Path, environment: Mapping[str, str], store: Path | None
    ) -> dict[str, str]:
        return {
            **SETTINGS,
            "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "FILESYSTEM_ROOT": str(folder / "files"),
            "TMPDIR": str(folder),
            "PARLEY_LAMBDA_PYTHON": str(python),
            "PARLEY_LAMBDA_ENVIRONMENT": json.dumps(dict(environment)),
            "PARLEY_LAMBDA_LOG": str(self.functions_log),
            "PARLEY_END_STORE": str(store or ""),
        }

    def wait_until_ready(self, shutdown: Shutdown) -> None:
        """Return when it answers; raises StartError with the last line of its log if it does not."""
        deadline = time.monotonic() + START_SECONDS
        while not shutdown.requested and self._process.poll() is None and time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(0.1)
        if shutdown.requested:
            raise StartError("stopped before LocalStack was ready")
        kept = FOLDER / "localstack.log"
        shutil.copy(self._log, kept)
        last = kept.read_text(errors="replace").strip().rpartition("\n")[2]
        raise StartError(f"LocalStack did not start; its log, {kept}, ends with: {last or 'nothing'}")

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End it, and the functions it runs."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def _answers(self) -> bool:
        """Whether it is this LocalStack that answers, and not another that has the port."""
        if READY not in self._log.read_bytes():
            return False
        try:
            with DIRECTLY.open(f"{self.endpoint}/_localstack/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


# Chosen against the documented defaults: listen on 127.0.0.1 alone (the default server ignores the address),
# send no usage data, load no certificate, start no DNS server, and have a function ready once it is made.
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


@contextlib.contextmanager
def running(
    port: int,
    folder: Path,
    shutdown: Shutdown,
    environment: Mapping[str, str] | None = None,
    store: Path | None = None,
) -> Iterator[LocalStack]:
    """Run LocalStack on a port.

    port: 0 for any that is free. folder: for its files; removed if this process dies before its time.
    environment: variables that every function has unless it says otherwise. store: the socket of a Valkey
    that is to end as well if this process dies.
    Raises StartError when the port is taken or LocalStack does not start.
    """
    port = _free(port)
    server = LocalStack(port, folder, installed(shutdown), environment or {}, store)
    try:
        server.wait_until_ready(shutdown)
        yield server
    finally:
        server.stop()


def _kept() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ}


def _free(port: int) -> int:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StartError(
                f"Port {port} cannot be used: {error.strerror}. Stop what listens there, or choose another:"
                " make localstack LOCALSTACK_PORT=4567"
            ) from None
        return int(probe.getsockname()[1])
