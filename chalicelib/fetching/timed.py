"""A socket whose sends and reads together end at a deadline."""

from __future__ import annotations

import io
import time
from typing import Any, Protocol


class Deadline:
    """The end of a fetch, as a whole."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left, more than 0; raises TimeoutError after the end."""
        if (left := self._end - time.monotonic()) <= 0:
            raise TimeoutError
        return left


class _Socket(Protocol):
    """The methods in use of a plain or TLS socket."""

    def settimeout(self, value: float | None, /) -> None: ...
    def sendall(self, data: Any, /) -> None: ...
    def recv_into(self, buffer: Any, /) -> int: ...


class TimedSocket:
    """A socket for http.client, whose sends and reads together end at a deadline."""

    def __init__(self, connected: _Socket, deadline: Deadline) -> None:
        self._connected = connected
        self._deadline = deadline

    def sendall(self, data: bytes) -> None:
        self._connected.settimeout(self._deadline.left())
        self._connected.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_TimedReader(self._connected, self._deadline))

    def close(self) -> None:
        """Do nothing: the opener closes the socket."""


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
