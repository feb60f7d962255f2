"""Ports of 127.0.0.1 that are a test's own for as long as it needs them."""

from __future__ import annotations

import socket
from types import TracebackType


class ReservedPort:
    """A port that a server of the test may listen on and nobody else is given, until it is released.

    A port that was only found to be free can be taken before the server listens, or while it is down. The
    socket that holds it does not listen: connections are refused until a server does.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        # Workers of one port listen with SO_REUSEPORT; others get in by SO_REUSEADDR, set after the bind.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.number: int = self._socket.getsockname()[1]

    def release(self) -> None:
        """Give the port back."""
        self._socket.close()

    def __enter__(self) -> int:
        return self.number

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
