"""A program in a terminal of its own, as a user would run it."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from select import select
from typing import Self

import pyte

from tests.servers.process import ROOT, environment

SECONDS = 60.0
ROWS, COLUMNS = 40, 120
CURSOR_WANTED, CURSOR = b"\x1b[6n", b"\x1b[1;1R"
"""The query of a program for the cursor's position, and the terminal's answer."""
CTRL_C, CTRL_D, ENTER = "\x03", "\x04", "\r"


class Terminal:
    """A running module, `parley-chat` unless named, in a pseudo-terminal.

    arguments: its own. env: variables beside the usual.
    """

    def __init__(self, *arguments: str, module: str = "parley_client.chat", **env: str) -> None:
        path = os.pathsep.join(["clients/python", os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._ours = ours
        self._seen = ""
        self._from = 0
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._drawing = pyte.ByteStream(self._screen)
        self.process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=ROOT,
            env=environment({"PYTHONPATH": path, "TERM": "xterm", **env}),
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        os.close(self._ours)

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._ours, text.encode())

    def shows(self, text: str) -> str:
        """Return the output up to a text after the one found last; fails without it."""
        for _ in self._reading():
            if (at := self._seen.find(text, self._from)) >= 0:
                before, self._from = self._seen[self._from : at], at + len(text)
                return before
        raise AssertionError(f"{text!r} was not shown, but:\n{self._seen[self._from :]}")

    def status_shows(self, text: str) -> None:
        """Wait until the last line of the screen has a text; fails without it.

        A program draws only the cells that change, so the text need not be in what it writes.
        """
        for _ in self._reading():
            if text in self._status():
                return
        raise AssertionError(f"The last line did not show {text!r}, but: {self._status()!r}")

    def ends(self) -> int:
        """Return the exit status, once the program has ended."""
        for _ in self._reading():
            pass
        return self.process.wait(SECONDS)

    def _status(self) -> str:
        return next((line for line in reversed(self._screen.display) if line.strip()), "")

    def _reading(self) -> Iterator[None]:
        """Read on until the program ends or the time is over."""
        deadline = time.monotonic() + SECONDS
        yield
        while (left := deadline - time.monotonic()) > 0:
            if select([self._ours], [], [], left)[0]:
                try:
                    data = os.read(self._ours, 65536)
                except OSError as error:  # Linux: the other end is closed
                    if error.errno != errno.EIO:
                        raise
                    data = b""
                if not data:
                    return
                if CURSOR_WANTED in data:
                    os.write(self._ours, CURSOR)
                self._seen += data.decode(errors="replace")
                self._drawing.feed(data)
                yield
