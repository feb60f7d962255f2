"""A server of the project as a process, started as a user starts it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.servers.slow_sync import SlowSync

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = STOP_SECONDS = 120.0
OURS = (
    *("PARLEY_", "REDIS_URL", "PORT", "DATA", "WORKERS", "SOCKET_", "SHUFFLE_FRAMES", "PUSH_BY_WIRE"),
    *("LOCALSTACK_", "AWS_"),
    *("MAKE", "MFLAGS"),  # a make that runs the tests hands its own flags to one that they run
)


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return this process's variables without Parley's and AWS's, and with the given ones."""
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | dict(env)


class ServerProcess:
    """One running `python -m MODULE`; both its streams go to a file in a folder.

    arguments: the module's name and its options. env: variables beside the process's own, from which
    Parley's are taken out first. ready: what it prints once it serves, with its URL as the first group.
    hangup: what SIGHUP does to it at first; nohup has it ignored. slow_sync: delays its fsyncs, and those of
    its children.
    """

    def __init__(
        self,
        folder: Path,
        arguments: Sequence[str],
        env: Mapping[str, str],
        ready: re.Pattern[str],
        hangup: signal.Handlers = signal.SIG_DFL,
        slow_sync: SlowSync | None = None,
    ) -> None:
        self._log = folder / "output.log"
        self._ready = ready
        before = signal.signal(signal.SIGHUP, hangup)
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                cwd=ROOT,
                env=environment(env),
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=slow_sync.install if slow_sync else None,  # noqa: PLW1509 - of these tests alone
            )
        signal.signal(signal.SIGHUP, before)
        if slow_sync:
            slow_sync.serve()
        self.url = ""

    def wait_until_ready(self, seconds: float = START_SECONDS) -> None:
        """Return once the server reports that it serves; raises AssertionError with its output otherwise."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if ready := self._ready.search(self.output()):
                self.url = ready[1]
                return
            time.sleep(0.05)
        raise AssertionError(f"the server did not start:\n{self.output()}")

    def output(self) -> str:
        """Return the lines of the server's output so far, both streams together; the last is whole, too."""
        ended = self.process.poll() is not None
        text = self._log.read_text(encoding="utf-8", errors="replace")
        return text if ended else text[: text.rfind("\n") + 1]

    def log_lines(self) -> list[dict[str, Any]]:
        """Return the JSON lines that the server logged so far."""
        return [json.loads(line) for line in self.output().splitlines() if line.startswith("{")]

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop the server with a signal and return its exit status; kill the rest after a while."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            return self.process.wait(STOP_SECONDS)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
