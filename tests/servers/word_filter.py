"""A word filter behind a URL, and as a Lambda function, with possible failures."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.servers.management_api import is_signed


class Handler(BaseHTTPRequestHandler):
    """Records a question, and answers it."""

    server: Filter
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Answer a question; to the Lambda API only if it is signed."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/2015-03-31/") and not is_signed(
            "POST", self.path, dict(self.headers.items()), body, self.server.token, "lambda"
        ):
            self._respond(403, b"{}", {})
            return
        self.server.asked.append((self.path, json.loads(body)))
        self.server.closing.wait(self.server.seconds)
        self._respond(self.server.status, self.server.answer, self.server.headers)

    def _respond(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.server.drips:
            for at in range(len(body)):
                self.wfile.write(body[at : at + 1])
                if self.server.closing.wait(0.05):
                    break
        else:
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name it has
        """Log nothing."""


class Filter(ThreadingHTTPServer):
    """A server on a free port for as long as it is a context.

    answer: What it answers with. seconds: How long it takes. drips: Whether the answer comes byte by byte.
    asked: The path and body of each question. token: The session token that signed requests have.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, token: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.token = token
        self.answer = b'{"action": "allow"}'
        self.status, self.seconds, self.drips = 200, 0.0, False
        self.headers: dict[str, str] = {}
        self.asked: list[tuple[str, Any]] = []
        self.closing = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def answers(self, action: str, **fields: str) -> None:
        """Answer every question with a verdict."""
        self.answer = json.dumps({"action": action, **fields}).encode()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore a client that has left."""

    def __enter__(self) -> Self:
        """Serve."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End, without waiting for answers that are late."""
        self.closing.set()
        self.shutdown()
        self._thread.join()
        self.server_close()
