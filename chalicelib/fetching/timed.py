"""A socket whose sends and reads together end at a deadline."""

from __future__ import annotations

import io
import time
from typing import Any, Protocol


class Deadline:
    """Seconds that are left for the whole of a fetch."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left, more than 0; raises TimeoutError when there are none."""
        if (left := self._end - time.monotonic()) <= 0:
            raise TimeoutError
        return left


class _Socket(Protocol):
    """What is used of a socket, plain or TLS."""

    def settimeout(self, value: float | None, /) -> None: ...
    def sendall(self, data: Any, /) -> None: ...
    def recv_into(self, buffer: Any, /) -> int: ...


class TimedSocket:
    """A socket as http.client uses it, whose sends and reads together end at a deadline."""

    def __init__(self, connected: _Socket, deadline: Deadline) -> None:
        self._connected = connected
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._connected.settimeout(self._deadline.left())
        self._connected.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._connected, self._deadline))

    def close(self) -> None:
        """Leave the socket to whoever opened it."""


class _TimedReader(io.RawIOBase):
    def __init__(self, connected: _Socket, deadline: Deadline) -> None:
        super().__init__()
        self._connected = connected
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connected.settimeout(self._deadline.left())
        return self._connected.recv_into(buffer)
