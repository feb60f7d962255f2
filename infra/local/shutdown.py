"""How the server ends: by a signal, by a failure, or before it has begun."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from typing import TextIO


class StartError(Exception):
    """The server cannot start; the text says why, and what to do, in one line."""


class Shutdown:
    """Whether the server is to end, and whether that is a failure.

    Plain attributes, since a signal handler must not wait for a lock that the code it interrupts may hold.
    """

    def __init__(self) -> None:
        self.requested = False
        self.failed = False

    def fail(self, reason: str) -> None:
        """End the server as failed, from any thread, with one line that says why."""
        self.failed = True
        warn(reason)
        os.kill(os.getpid(), signal.SIGTERM)

    def listen(self) -> None:
        """Let SIGTERM, Ctrl-C and the closing of the terminal request the end. For the main thread.

        A terminal sends its signals to every process started from it. The store has to outlive the workers,
        and a worker that is still starting would print a traceback: so SIGINT and SIGHUP are blocked here
        and in every process started from now on, and reach this one alone, as SIGTERM.
        """
        signal.signal(signal.SIGTERM, self._request)
        terminal = {signal.SIGINT}
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup
            terminal.add(signal.SIGHUP)
        signal.pthread_sigmask(signal.SIG_BLOCK, terminal)
        threading.Thread(target=_pass_on, args=(terminal,), daemon=True).start()

    def _request(self, *_: object) -> None:
        self.requested = True


def say(text: str) -> None:
    """Print for the person who started the server."""
    _print(text, sys.stdout)


def warn(text: str) -> None:
    """Print one line about what went wrong."""
    _print(f"parley: {text}", sys.stderr)


def _print(text: str, stream: TextIO) -> None:
    with contextlib.suppress(OSError):
        print(text, file=stream, flush=True)


def _pass_on(signals: set[signal.Signals]) -> None:
    while True:
        signal.sigwait(signals)
        os.kill(os.getpid(), signal.SIGTERM)
