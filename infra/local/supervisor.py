"""The supervisor of a server's worker processes: it starts each again when it dies."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from infra.local.backoff import Backoff
from infra.local.shutdown import STOP_SECONDS, Shutdown, StartError, warn

KILL_SECONDS = STOP_SECONDS + 2.0
SIGNAL_SECONDS = 0.1
"""A signal to all processes may reach a worker before the server."""


class Workers:
    """Runs workers within a context, and starts one that dies again: at once, and later while it keeps dying.

    command: Of a worker, which ends with its standard input. shared: Descriptor that workers inherit. Until
    the server is ready, a worker that dies again ends it. Entering raises StartError.
    """

    def __init__(
        self, command: Sequence[str], count: int, shutdown: Shutdown, shared: int | None = None
    ) -> None:
        inherited = () if shared is None else (shared,)
        self._workers = [_Worker(command, inherited, shutdown) for _ in range(count)]

    def __enter__(self) -> Self:
        try:
            for worker in self._workers:
                worker.start()
        except RuntimeError as error:
            self._stop()
            raise StartError(f"A worker cannot be started: {error}.") from None
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        """End all workers, and kill those that have not ended after KILL_SECONDS."""
        for worker in self._workers:
            worker.ask_to_end()
        deadline = time.monotonic() + KILL_SECONDS
        for worker in self._workers:
            worker.end(deadline)


class _Worker:
    """One worker process and its successors, watched by a thread."""

    def __init__(self, command: Sequence[str], inherited: tuple[int, ...], shutdown: Shutdown) -> None:
        self._command = command
        self._inherited = inherited
        self._shutdown = shutdown
        self._backoff = Backoff()
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = False
        self._changing = threading.Lock()
        self._thread = threading.Thread(target=self._keep_running, daemon=True)

    def start(self) -> None:
        """Start the process. Raises RuntimeError if no thread can be started."""
        self._thread.start()

    def ask_to_end(self) -> None:
        """Close its input, and start it no more."""
        with self._changing:
            self._ending = True
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()

    def end(self, deadline: float) -> None:
        """Return once it has ended; it is killed at the deadline."""
        if self._thread.ident is None:
            return
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._thread.is_alive() and self._process is not None:
            self._process.kill()
            self._thread.join()

    def _keep_running(self) -> None:
        while (process := self._insisted()) is not None:
            self._backoff.started()
            process.wait()
            if self._shutdown.wait(SIGNAL_SECONDS) or self._shutdown.wait(self._delay()):
                return

    def _insisted(self) -> subprocess.Popen[bytes] | None:
        """Start the process, and try again until the machine lets it; None: the server ends."""
        backoff = Backoff()
        while True:
            try:
                return self._started()
            except OSError as error:
                delay = backoff.failed()
                if backoff.is_news:
                    warn(f"A worker cannot be started: {error}. Trying until it starts.")
            if self._shutdown.wait(delay):
                return None

    def _started(self) -> subprocess.Popen[bytes] | None:
        with self._changing:
            if self._ending:
                return None
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, pass_fds=self._inherited)
            return self._process

    def _delay(self) -> float:
        """Return the seconds to wait after a death; end a server that is not ready if it is not the first."""
        delay = self._backoff.failed()
        if not (self._shutdown.is_ready or self._backoff.is_first):
            self._shutdown.fail("The workers keep failing; their output above says why.")
        elif self._backoff.is_many:
            warn("A worker keeps dying; its output above says why. Starting it again each time.")
        return delay
