"""The process beside the workers that calls the functions of the queues and the schedule."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from infra.local.backoff import Backoff
from infra.local.shutdown import Shutdown, StartError, warn
from infra.local.sockets.shared import Meeting

STOP_SECONDS = 2.0  # for its current job; what it does not finish stays pending


class EventSources:
    """The process `python -m infra.local.event_sources`, started again whenever it dies.

    sweep_seconds: between two sweeps. media: the folder of the media. Raises StartError. `GET /health` says
    when it cannot be started, or keeps dying.
    """

    def __init__(self, sweep_seconds: float, media: Path, shutdown: Shutdown) -> None:
        self._meeting = Meeting.from_env()
        self._command = [
            sys.executable,
            "-m",
            "infra.local.event_sources",
            str(sweep_seconds),
            str(media),
        ]
        self._shutdown = shutdown
        self._stopped = False
        self._changing = threading.Lock()
        try:
            self._process = self._started()
        except OSError as error:
            raise StartError(f"The event sources cannot be started: {error.strerror}.") from None
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        """End it after its current job."""
        with self._changing:
            self._stopped = True
        try:
            self._process.communicate(timeout=STOP_SECONDS)  # closes its input
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        # It ends with its input. A signal to every process of the server is for the server alone.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        try:
            return subprocess.Popen(self._command, stdin=subprocess.PIPE)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _watch(self) -> None:
        backoff = Backoff()
        while True:
            self._process.wait()
            if self._is_ending():
                return
            self._bring_back(backoff)

    def _bring_back(self, backoff: Backoff) -> None:
        delay = backoff.failed()
        if backoff.is_news:
            warn("The event sources died; starting them again.")
        if not backoff.is_first:
            self._report_down()
        if backoff.is_many:
            warn("The event sources keep dying; their output above says why. Starting them again each time.")
        refused = False
        while not self._shutdown.wait(delay) and not self._is_ending():
            try:
                self._replace()
                backoff.started()
                if refused:
                    warn("The event sources run again.")
                return
            except OSError as error:
                self._report_down()
                if not refused:
                    warn(f"The event sources cannot be started: {error.strerror}. Trying until they start.")
                refused, delay = True, backoff.failed()

    def _report_down(self) -> None:
        if self._meeting is not None:
            with contextlib.suppress(OSError):
                self._meeting.beat(-1)

    def _replace(self) -> None:
        with self._changing:
            if not self._stopped:
                if self._process.stdin is not None:
                    self._process.stdin.close()
                self._process = self._started()

    def _is_ending(self) -> bool:
        with self._changing:
            return self._stopped or self._shutdown.requested


@contextlib.contextmanager
def event_sources(sweep_seconds: float, media: Path, shutdown: Shutdown) -> Iterator[None]:
    """Run the queues and the schedule beside the server; see EventSources."""
    sources = EventSources(sweep_seconds, media, shutdown)
    try:
        yield
    finally:
        sources.stop()
