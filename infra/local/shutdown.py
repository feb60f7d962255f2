"""How the server ends: by a signal, by a failure, or before it has begun."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import TextIO

POLL_SECONDS = 0.1
LOOK_SECONDS = 0.5
STOP_SECONDS = 2.0  # for requests under way; a client that stalls is not waited for any longer


class StartError(Exception):
    """The server cannot start; the text says why, and what to do, in one line."""


class Shutdown:
    """Whether the server is to end, and whether that is a failure.

    is_ready: whether it has answered; from then on it does not end by itself.
    A request passes through a pipe: a signal handler must not wait for a lock, and the code that it
    interrupts may hold any.
    """

    def __init__(self) -> None:
        self.requested = False
        self.failed = False
        self.is_ready = False
        self._failing = threading.Lock()
        self._outlives_terminal = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # started by nohup
        self._requests, self._bell = os.pipe()

    def request(self, *_: object) -> None:
        """Ask for the end, from any thread or as a signal handler."""
        self.requested = True
        os.write(self._bell, b"!")

    def wait(self, seconds: float) -> bool:
        """Wait some seconds, or until the end is requested; return whether it is."""
        deadline = time.monotonic() + seconds
        while not self.requested and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
        return self.requested

    def fail(self, reason: str) -> None:
        """Ask for the end as a failure, with one line that says why: the first reason."""
        with self._failing:
            if self.failed:
                return
            self.failed = True
        warn(reason)
        self.request()

    def listen(self) -> None:
        """Let SIGTERM, Ctrl-C and the closing of the terminal request the end.

        A terminal sends its signals to every process started from it. The store has to outlive the workers,
        and a worker that is still starting would print a traceback: so SIGINT and SIGHUP are blocked here
        and in every process started from now on, and a thread takes them.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.request)
        terminal = {signal.SIGINT} if self._outlives_terminal else {signal.SIGINT, signal.SIGHUP}
        signal.pthread_sigmask(signal.SIG_BLOCK, terminal)
        _in_background(lambda: self._take(terminal))

    def await_request(self) -> None:
        """Return once the end is requested, or has been."""
        os.read(self._requests, 1)

    def end_with_parent(self) -> None:
        """Request the end once the process that started this one is gone: killed, it stops nobody."""
        parent = os.getppid()

        def watch() -> None:
            while os.getppid() == parent:
                time.sleep(LOOK_SECONDS)
            self.request()

        _in_background(watch)

    def end(self) -> None:
        """Ignore whatever signal still comes: the process ends by itself now."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)

    def _take(self, signals: set[signal.Signals]) -> None:
        while True:
            signal.sigwait(signals)
            self.request()


def say(text: str) -> None:
    """Print for the person who started the server."""
    _print(text, sys.stdout)


def warn(text: str) -> None:
    """Print one line about what went wrong."""
    _print(f"parley: {text}", sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    with contextlib.suppress(OSError):
        print(text, file=stream, flush=True)


def _in_background(work: Callable[[], object]) -> None:
    threading.Thread(target=work, daemon=True).start()
