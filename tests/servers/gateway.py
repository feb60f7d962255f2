"""The laptop's server as a process, started as a user starts it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READY = re.compile(r"^Parley is ready on (\S+)$", re.MULTILINE)
START_SECONDS = 60.0
STOP_SECONDS = 15.0
OURS = ("PARLEY_", "REDIS_URL", "PORT", "DATA", "WORKERS")


class Gateway:
    """One running server.

    env: variables beside the process's own, from which Parley's are taken out first. args: options of
    `python -m infra.local`. hangup: what SIGHUP does to it at first; nohup has it ignored.
    folder: where its output and, unless args say otherwise, its data are.
    """

    def __init__(
        self,
        folder: Path,
        env: Mapping[str, str],
        args: Sequence[str],
        hangup: signal.Handlers = signal.SIG_DFL,
    ) -> None:
        self._log = folder / "output.log"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
        command = [sys.executable, "-m", "infra.local", "--port", "0", "--data", str(folder / "data"), *args]
        before = signal.signal(signal.SIGHUP, hangup)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env={**clean, **env}, stdout=log, stderr=log, start_new_session=True
            )
        signal.signal(signal.SIGHUP, before)
        self.url = ""

    def wait_until_ready(self) -> None:
        """Return when the server says that it serves; raises AssertionError with its output otherwise."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            if ready := READY.search(self.output()):
                self.url = ready[1]
                return
            time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.output()}")

    def output(self) -> str:
        """Return all that the server wrote so far, both streams together."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop the server with a signal and return its exit status; kill what is left after 15 s."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


@contextlib.contextmanager
def running_gateway(env: Mapping[str, str] | None = None, args: Sequence[str] = ()) -> Iterator[Gateway]:
    """Run a server on a free port with a new data folder; see Gateway."""
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        server = Gateway(Path(folder), env or {}, args)
        try:
            server.wait_until_ready()
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def gateway(env: Mapping[str, str] | None = None, args: Sequence[str] = ()) -> Iterator[str]:
    """Run a server and yield its base URL."""
    with running_gateway(env, args) as server:
        yield server.url
