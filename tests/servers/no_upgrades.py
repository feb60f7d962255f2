"""A proxy to an HTTP server that lets no WebSockets pass, as some networks do."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator

CHUNK = 64 * 1024
UPGRADE = b"\r\nupgrade: websocket\r\n"


class _Connection(socketserver.BaseRequestHandler):
    """Carries one connection, and ends it at an upgrade request."""

    def handle(self) -> None:
        """Carry bytes until either end has gone."""
        assert isinstance(self.server, _Proxy)
        client: socket.socket = self.request
        with (
            socket.create_connection(("127.0.0.1", self.server.behind)) as server,
            contextlib.suppress(OSError),
        ):
            threading.Thread(target=_carry, args=(server, client), daemon=True).start()
            while (data := client.recv(CHUNK)) and UPGRADE not in data.lower():
                server.sendall(data)


class _Proxy(socketserver.ThreadingTCPServer):
    """behind: The port of the server, on 127.0.0.1."""

    daemon_threads = True
    behind = 0


def _carry(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(CHUNK):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def without_upgrades(port: int) -> Iterator[str]:
    """Run a proxy to a server on 127.0.0.1, and yield its URL."""
    with _Proxy(("127.0.0.1", 0), _Connection) as proxy:
        proxy.behind = port
        threading.Thread(target=proxy.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{proxy.server_address[1]}"
        finally:
            proxy.shutdown()
