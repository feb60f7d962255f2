"""Lines of standard output and error that nobody waits for: a thread writes them, or they are dropped."""

from __future__ import annotations

import atexit
import contextlib
import io
import os
import queue
import select
import sys
import threading
import time
from collections import deque
from collections.abc import Callable

from infra.local.write_lock import WriteLock

MAX_BYTES = 1024 * 1024
BATCH_BYTES, BATCH_SECONDS = 64 * 1024, 0.005
DRAIN_SECONDS = 1.0
POLL_SECONDS, ROOM_MILLISECONDS = 0.01, 1000

DroppedLine = Callable[[int], str]


class LineWriter:
    """Writes lines to a descriptor from a thread, in order and whole.

    dropped_line: returns the line that reports how many lines were dropped. most_bytes: Maximum bytes that
    wait, unless one line is longer; further lines are dropped. Lines of several processes do not mix.
    """

    def __init__(self, descriptor: int, dropped_line: DroppedLine, most_bytes: int = MAX_BYTES) -> None:
        self._descriptor = descriptor
        self._dropped_line = dropped_line
        self._most = most_bytes
        self._write_lock = WriteLock(descriptor)
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._dropped = 0
        # Reentrant: an object that is garbage-collected here may write lines, in the middle of a method.
        self._changing = threading.RLock()
        self._bell: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._rung = False
        self._begun = False

    def put(self, text: str) -> None:
        """Have lines written, or drop them if too many wait."""
        data = text.encode(errors="backslashreplace")
        self._put(data, _lines(data))

    def put_line(self, line: bytes) -> None:
        """Have one line written, given without its end, or drop it if too many wait."""
        self._put(line + b"\n", 1)

    def _put(self, data: bytes, lines: int) -> None:
        with self._changing:
            if self._bytes and self._bytes + len(data) > self._most:
                self._dropped += lines
                return
            self._waiting.append(data)
            self._bytes += len(data)
            if not self._begun:
                self._begin()
            if not self._rung:
                self._rung = True
                self._bell.put(None)

    def drain(self, seconds: float) -> None:
        """Return when all is written, or after some seconds."""
        deadline = time.monotonic() + seconds
        while self._bytes and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)

    def _begin(self) -> None:
        self._begun = True
        try:
            threading.Thread(target=self._run, name="lines", daemon=True).start()
        except RuntimeError:  # no thread can be started now; the next line tries again
            self._begun = False

    def _run(self) -> None:
        while True:
            self._bell.get()
            time.sleep(BATCH_SECONDS)  # more may come: each waking costs the thread that serves
            self._rung = False
            while batch := self._taken():
                data = b"".join(batch)
                dropped = 0 if self._is_written(data) else _lines(data)
                with self._changing:
                    self._bytes -= len(data)
                    self._dropped += dropped

    def _taken(self) -> list[bytes]:
        batch: list[bytes] = []
        with self._changing:
            size = 0
            while self._waiting and (not batch or size + len(self._waiting[0]) <= BATCH_BYTES):
                size += len(self._waiting[0])
                batch.append(self._waiting.popleft())
            if batch and self._dropped and not self._waiting:
                dropped, self._dropped = self._dropped, 0
                notice = self._dropped_line(dropped).encode()
                self._bytes += len(notice)
                batch.append(notice)
        return batch

    def _is_written(self, data: bytes) -> bool:
        rest = memoryview(data)
        with self._write_lock.taken():
            while rest:
                try:
                    rest = rest[os.write(self._descriptor, rest) :]
                except BlockingIOError:  # somebody has set it so for all who share it
                    _wait_for_room(self._descriptor)
                except OSError:
                    return False
        return True


class LineStream(io.TextIOBase):
    """What takes the place of sys.stdout or sys.stderr. What a thread writes of a line waits for its end."""

    def __init__(self, descriptor: int, writer: LineWriter) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._writer = writer
        self._begun = threading.local()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """The encoding of what is written."""
        return "utf-8"

    def write(self, text: str) -> int:
        """Have text written; never waits."""
        begun: str | None = getattr(self._begun, "text", None)
        if not begun and text.endswith("\n"):
            self._writer.put(text)
            return len(text)
        whole = (begun or "") + text
        end = whole.rfind("\n") + 1
        self._begun.text = whole[end:]
        if end:
            self._writer.put(whole[:end])
        return len(text)

    def put_line(self, line: bytes) -> None:
        """Have a line of bytes written, given without its end; never waits."""
        self._writer.put_line(line)

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._descriptor

    def isatty(self) -> bool:
        """Return whether the descriptor is a terminal."""
        return os.isatty(self._descriptor)

    def writable(self) -> bool:
        """Return True."""
        return True


def install(dropped_line: DroppedLine) -> None:
    """Have this process write to standard output and error by LineWriters; see there."""
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        with contextlib.suppress(OSError):  # it was started without
            writer = LineWriter(descriptor, dropped_line)
            _writers.append(writer)
            setattr(sys, name, LineStream(descriptor, writer))
    atexit.register(drain)


def drain(seconds: float = DRAIN_SECONDS) -> None:
    """Return when all that this process has to write is written, or after some seconds."""
    deadline = time.monotonic() + seconds
    for writer in _writers:
        writer.drain(deadline - time.monotonic())


_writers: list[LineWriter] = []


def _lines(data: bytes) -> int:
    return data.count(b"\n")


def _wait_for_room(descriptor: int) -> None:
    room = select.poll()
    room.register(descriptor, select.POLLOUT)
    room.poll(ROOM_MILLISECONDS)
