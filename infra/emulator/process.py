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
STOP_SECONDS = 2.0  # nothing that it holds is kept
KEPT = ("PATH", "LANG", "HOME", "PARLEY_CI_RUN")


class Emulator:
    """A running emulator of AWS.

    name: what it is called. endpoint: its URL. ready: what its log has once it serves.
    functions_log: the file with what its functions wrote.
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

        folder: for its files; removed if this process dies before its time. command: the interpreter and the
        module it runs. variables: its environment, beside KEPT and TMPDIR. store: the socket of a Valkey that
        is to end as well if this process dies.
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
                stdin=subprocess.PIPE,  # it ends when this closes, however we end
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_ready(self, shutdown: Shutdown, keep: Path) -> None:
        """Return when it answers.

        keep: the folder for its log if it does not; raises StartError then, with the last line of that.
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
        """Whether it is this process that answers, and not another that has the port."""
        if self.ready not in self.log.read_bytes():
            return False
        try:
            with DIRECTLY.open(f"{self.endpoint}/_localstack/health", timeout=5) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False


@contextlib.contextmanager
def served(emulator: Emulator, shutdown: Shutdown, keep: Path) -> Iterator[None]:
    """Wait until an emulator answers, and end it with the context; see wait_until_ready."""
    try:
        emulator.wait_until_ready(shutdown, keep)
        yield
    finally:
        emulator.stop()


def free_port(port: int, stage: str) -> int:
    """Return a port, or any that is free for 0. Raises StartError when it is taken; stage: `localstack`, …"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise StartError(
                f"Port {port} cannot be used: {error.strerror}. Stop what listens there, or choose another:"
                f" make {stage} {stage.upper()}_PORT=4567"
            ) from None
        return int(probe.getsockname()[1])
