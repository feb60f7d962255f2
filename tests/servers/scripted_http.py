"""A small HTTP server with scripted answers, over plain sockets or TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

import msgspec

Handler = Callable[["Request", socket.socket], bytes | None]


class Request(msgspec.Struct, frozen=True):
    """A request as it arrived: target (path and query), and headers by lower-case name."""

    target: str
    headers: dict[str, str]


class ScriptedServer:
    """Serves one handler on 127.0.0.1, each connection in a thread, and keeps the requests it saw.

    handler: returns the bytes of a whole answer, or None when it has written to the socket itself.
    tls: a server's context, for https.
    """

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        self.handler = handler
        self.requests: list[Request] = []
        self.names: list[str | None] = []
        self._tls = tls
        if tls:
            tls.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._accept, daemon=True)

    def count(self, target: str) -> int:
        """Return the number of requests for a target."""
        return sum(request.target == target for request in self.requests)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        try:
            with plain, self._tls.wrap_socket(plain, server_side=True) if self._tls else plain as connection:
                if (request := _read(connection)) is None:
                    return
                self.requests.append(request)
                if (answer := self.handler(request, connection)) is not None:
                    connection.sendall(answer)
        except OSError:
            return  # the client hung up, as it does in many of these tests

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


def _read(connection: socket.socket) -> Request | None:
    raw = b""
    while b"\r\n\r\n" not in raw:
        if not (more := connection.recv(65536)):
            return None
        raw += more
    first, *lines = raw.decode("latin-1").partition("\r\n\r\n")[0].split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Request(first.split(" ")[1], {name.lower(): value.strip() for name, _, value in pairs})


def answer(
    body: bytes = b"",
    status: str = "200 OK",
    length: int | None = None,
    headers: dict[str, str] | None = None,
) -> bytes:
    """Return an answer's bytes; length: value of Content-Length, the body's own by default."""
    fields = {
        "Content-Type": "application/json",
        "Content-Length": str(len(body) if length is None else length),
    }
    lines = [
        f"HTTP/1.1 {status}",
        *(f"{name}: {value}" for name, value in (fields | (headers or {})).items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


def json_answer(value: object) -> bytes:
    """Return an answer's bytes with a value as JSON."""
    return answer(msgspec.json.encode(value))
