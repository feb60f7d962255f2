"""HTTP by hand, for requests that ordinary clients do not send."""

from __future__ import annotations

import http.client
import json
import socket
import struct
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 60.0


class Answer:
    """One response, read to its end."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Peer:
    """One connection to a server on 127.0.0.1; address: of the loopback interface, from which it comes."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_SECONDS, (address, 0))

    def send(self, *lines: str, body: bytes = b"") -> None:
        """Send a head, its bytes as Latin-1, and a body."""
        self.socket.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def answer(self, method: str = "GET") -> Answer:
        """Read one response to a method; raises OSError if there is none."""
        response = http.client.HTTPResponse(self.socket, method=method)
        try:
            response.begin()
            return Answer(response)
        except http.client.HTTPException as error:
            raise OSError(f"no response: {error!r}") from error
        finally:
            response.close()

    def reset(self) -> None:
        """Reset the connection."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()


def port_of(url: str) -> int:
    """Return the port of a base URL."""
    port = urlsplit(url).port
    assert port is not None
    return port
