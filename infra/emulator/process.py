"""An emulator as a process of this machine, on 127.0.0.1 only."""

from __future__ import annotations

import contextlib
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

ATTENDED = Path(__file__).parent / "attended.py"
START_SECONDS = 120.0
DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
STOP_SECONDS = 2.0  # its data is not kept
KEPT = ("PATH", "LANG", "HOME", "PARLEY_CI_RUN")


class Emulator:
    """A running emulator of AWS.

    name: Its name for people.
    endpoint: Its URL.
    ready: The text in its log by which it says that it is ready.
    functions_log: The file with the output of its functions.
    """

    name: str
    ready: bytes
    functions_log: Path

    def __init__(
        self,
        port: int,
        folder: Path,
        command: tuple[Path, str],
        variables: Mapping[str, str],
        store: Path | None,
    ) -> None:
        """Start it.

        folder: For its files; removed if this process dies early.
        command: The interpreter and the module it runs.
        variables: Its environment, in addition to KEPT and TMPDIR.
        store: The socket of a Valkey that ends too if this process dies.
        """
        self.endpoint = f"http://127.0.0.1:{port}"
        self.log = folder / f"{self.name.lower()}.log"
        python, module = command
        kept = {name: os.environ[name] for name in KEPT if name in os.environ}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(python), "-P", str(ATTENDED), module, str(folder), str(store or "")],
                env={**kept, "TMPDIR": str(folder), **variables},
                cwd=folder,
                stdin=subprocess.PIPE,  # the emulator ends when this closes, however this process ends
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_ready(self, shutdown: Shutdown, keep: Path) -> None:
        """Return when it responds.

        keep: The folder for its log if it does not respond; then raises StartError with the log's last line.
        """
        deadline = time.monotonic() + START_SECONDS
        while not shutdown.requested and self.running and time.monotonic() < deadline:
            if self._answers():
                return
            time.sleep(0.1)
        if shutdown.requested:
            raise StartError(f"stopped before {self.name} was ready")
        kept = keep / self.log.name
        shutil.copy(self.log, kept)
        last = kept.read_text(errors="replace").strip().rpartition("\n")[2]
        raise StartError(f"{self.name} did not start; its log, {kept}, ends with: {last or 'nothing'}")

    @property
    def running(self) -> bool:
        """Whether the process is running."""
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
        """Return whether this process responds, and not another one on the port."""
        if self.ready not in self.log.read_bytes():
            return False
        try:
            with DIRECTLY.open(f"{self.endpoint}/_localstack/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextlib.contextmanager
def served(emulator: Emulator, shutdown: Shutdown, keep: Path) -> Iterator[None]:
    """Wait until an emulator responds, and end it with the context; see wait_until_ready."""
    try:
        emulator.wait_until_ready(shutdown, keep)
        yield
    finally:
        emulator.stop()


def free_port(port: int, stage: str) -> int:
    """Return a port, or a free one for 0. Raises StartError if it is in use; stage: `localstack`, …"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StartError(
                f"Port {port} cannot be used: {error.strerror}. Stop the program that uses it, or choose"
                f" another: make {stage} {stage.upper()}_PORT=4567"
            ) from None
        return int(probe.getsockname()[1])
