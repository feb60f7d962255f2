"""The process beside the workers that calls the functions of the queues and the schedule."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from infra.local.deaths import Deaths
from infra.local.shutdown import Shutdown, warn

STOP_SECONDS = 2.0  # for the job it has; what it does not finish is still owed


class EventSources:
    """A process of `infra.local.source_process`, started again when it dies.

    sweep_seconds: between two sweeps. media: the folder of the media. shutdown: is requested when it keeps
    dying.
    """

    def __init__(self, sweep_seconds: float, media: Path, shutdown: Shutdown) -> None:
        self._command = [sys.executable, "-m", "infra.local.source_process", str(sweep_seconds), str(media)]
        self._shutdown = shutdown
        self._stopped = False
        self._changing = threading.Lock()
        self._process = self._started()
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        """End it, once it has done what it is at."""
        with self._changing:
            self._stopped = True
        try:
            self._process.communicate(timeout=STOP_SECONDS)  # closes its input
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        # It ends when its input does. A signal to every process of the server is the server's to act on.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            return subprocess.Popen(self._command, stdin=subprocess.PIPE)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _watch(self) -> None:
        deaths = Deaths()
        while True:
            self._process.wait()
            with self._changing:
                if self._stopped or self._shutdown.requested:
                    return
                if deaths.too_many():
                    self._shutdown.fail("The event sources keep dying; what they wrote above says why.")
                    return
                warn("The event sources died; starting them again.")
                self._process = self._started()


@contextlib.contextmanager
def event_sources(sweep_seconds: float, media: Path, shutdown: Shutdown) -> Iterator[None]:
    """Run the queues and the schedule beside the server; see EventSources."""
    sources = EventSources(sweep_seconds, media, shutdown)
    try:
        yield
    finally:
        sources.stop()
