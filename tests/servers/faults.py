"""Failures between Parley and its store: a cut connection, and a server that only refuses."""

from __future__ import annotations

import select
import socket
import socketserver
import struct
import threading
from types import TracebackType
from typing import Any, Self

CHUNK = 65_536
RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # to linger for 0 s


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log nothing of a broken connection, which these servers cause."""


class Fault:
    """A TCP server on a free port of 127.0.0.1, for the lifetime of a context."""

    def __init__(self) -> None:
        fault = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                fault.serve(self.request)

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"redis://127.0.0.1:{self._server.server_address[1]}/0"

    def serve(self, client: socket.socket) -> None:
        """Serve one connection until it ends."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class CuttingProxy(Fault):
    """Carries TCP connections to a server on a unix socket, and cuts them when told to.

    connections: how many there were so far.
    """

    def __init__(self, path: str) -> None:
        super().__init__()
        self._path = path
        self._open: list[socket.socket] = []
        self._drop_reply = False
        self.connections = 0

    def cut_all(self) -> None:
        """Cut every connection now, between requests."""
        while self._open:
            self._open.pop().shutdown(socket.SHUT_RDWR)

    def cut_next_reply(self) -> None:
        """Let the next request reach the server, then cut the connection instead of forwarding the answer."""
        self._drop_reply = True

    def serve(self, client: socket.socket) -> None:
        """Carry bytes in both directions until either end is closed or a cut is due."""
        self.connections += 1
        self._open.append(client)
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(self._path)
            while True:
                ready, _, _ = select.select([client, server], [], [])
                for source, target in ((client, server), (server, client)):
                    if source in ready and not self._carried(source, target, is_reply=source is server):
                        return

    def _carried(self, source: socket.socket, target: socket.socket, *, is_reply: bool) -> bool:
        data = source.recv(CHUNK)
        if is_reply and self._drop_reply:
            self._drop_reply = False
            return False
        target.sendall(data)
        return bool(data)


class FreezingProxy(Fault):
    """Carries TCP connections to a server, as far as a frozen sandbox's connections are carried.

    resets: whether a connection from before a freeze is reset when its client sends next; otherwise what the
    client sends is taken and never answered. Connections that are opened after the freeze work.
    upstream: the server's port of 127.0.0.1, or its unix socket. port: the proxy's own.
    connections: how many there were so far.
    """

    def __init__(self, upstream: int | str, *, resets: bool) -> None:
        super().__init__()
        self.port: int = self._server.server_address[1]
        self._family = socket.AF_UNIX if isinstance(upstream, str) else socket.AF_INET
        self._upstream = upstream if isinstance(upstream, str) else ("127.0.0.1", upstream)
        self._resets = resets
        self._freezes = 0
        self.connections = 0

    def freeze(self) -> None:
        """Carry nothing more on the open connections, without a notice to either end."""
        self._freezes += 1

    def serve(self, client: socket.socket) -> None:
        """Carry bytes in both directions until either end is closed, or there was a freeze."""
        self.connections += 1
        freezes = self._freezes
        with socket.socket(self._family) as server:
            server.connect(self._upstream)
            while freezes == self._freezes:
                ready, _, _ = select.select([client, server], [], [], 0.02)
                for source, target in ((client, server), (server, client)):
                    if source in ready and freezes == self._freezes:
                        target.sendall(data := source.recv(CHUNK))
                        if not data:
                            return
        while client.recv(CHUNK) and not self._resets:
            pass
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        client.close()


class RefusingServer(Fault):
    """Answers each script with one error, and everything else with OK.

    error: the error as the server words it, its code first.
    """

    def __init__(self, error: str) -> None:
        super().__init__()
        self._error = error

    def serve(self, client: socket.socket) -> None:
        """Answer each request; a request must arrive in one piece, as the small ones of a test do."""
        while data := client.recv(CHUNK):
            client.sendall(f"-{self._error}\r\n".encode() if b"EVAL" in data else b"+OK\r\n")
