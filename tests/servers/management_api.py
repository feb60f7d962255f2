"""The management API of a WebSocket API, as API Gateway has it, with possible failures."""

from __future__ import annotations

import hashlib
import hmac
import ssl
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import quote, unquote

KEY, SECRET, REGION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "eu-north-1"
SERVICE = "execute-api"
PREFIX = "/prod/%40connections/"
HANG_SECONDS = 30.0

Answer = Callable[["Handler"], None]


def status(code: int) -> Answer:
    """Return an answer with a status."""
    return lambda handler: handler.respond(code)


def hang(handler: Handler) -> None:
    """Answer nothing, and keep the connection until the server ends, or a client has waited for long."""
    if not handler.server.closing.wait(HANG_SECONDS):
        handler.server.waited_for = True
    handler.close_connection = True


def drip(handler: Handler) -> None:
    """Begin an answer that never ends."""
    for letter in b"HTTP/1.1 200 OK\r\nX-Drip: " + b"." * 1000:
        handler.wfile.write(bytes([letter]))
        if handler.server.closing.wait(0.1):
            break
    handler.close_connection = True


def cut(handler: Handler) -> None:
    """Close the connection without an answer."""
    handler.close_connection = True


def after(seconds: float, answer: Answer) -> Answer:
    """Return an answer after some time."""

    def late(handler: Handler) -> None:
        handler.server.closing.wait(seconds)
        answer(handler)

    return late


def take(handler: Handler) -> None:
    """Take the frame."""
    if handler.command == "POST":
        handler.server.frames[handler.target].append(handler.body)
    handler.respond(200)


OK = take


class Handler(BaseHTTPRequestHandler):
    """Checks the signature of a request, records it, and answers as its target connection does."""

    server: Connections
    target: str
    body: bytes
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take a frame for a connection."""
        self._take(self.rfile.read(int(self.headers["Content-Length"])))

    def do_DELETE(self) -> None:
        """Close a connection."""
        self._take(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def respond(self, code: int) -> None:
        """Answer without a body."""
        self.send_response(code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name it has
        """Log nothing."""

    def _take(self, body: bytes) -> None:
        if not is_signed(self.command, self.path, dict(self.headers.items()), body, self.server.token):
            self.server.forged += 1
            self.respond(403)
            return
        self.target, self.body = unquote(self.path.removeprefix(PREFIX)), body
        with self.server.lock:
            answers = self.server.answers[self.target]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            self.server.asked.append((self.command, self.target))
        answer(self)

    def setup(self) -> None:
        """Count a pusher's connection."""
        super().setup()
        with self.server.lock:
            self.server.accepted += 1


class Connections(ThreadingHTTPServer):
    """A server on a free port for as long as it is a context.

    token: the session token it wants to see. tls: a server's context, for https.
    answers: what each connection answers with, one after the other and the last one for good. frames: what
    it took, by connection. asked: method and connection of every request that was signed. forged: how many
    were not. accepted: TCP connections so far. waited_for: somebody waited for a connection that hangs.
    """

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, token: str | None = None, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.token = token
        self._tls = tls
        self.answers: dict[str, list[Answer]] = defaultdict(lambda: [OK])
        self.frames: dict[str, list[bytes]] = defaultdict(list)
        self.asked: list[tuple[str, str]] = []
        self.forged = self.accepted = 0
        self.waited_for = False
        self.lock, self.closing = threading.Lock(), threading.Event()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.server_address[1]}/prod"
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,))

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, in its own thread; by TLS, if configured."""
        if self._tls is None:
            super().finish_request(request, client_address)
            return
        with self._tls.wrap_socket(request, server_side=True) as secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: object, client_address: object) -> None:
        """Log nothing of a broken connection."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()
        self._thread.join()


def is_signed(
    method: str,
    path: str,
    headers: dict[str, str],
    body: bytes,
    token: str | None,
    service: str = SERVICE,
) -> bool:
    """Whether a request is signed as the documentation of AWS Signature Version 4 has it."""
    sent = {name.lower(): " ".join(value.split()) for name, value in headers.items()}
    kind, _, rest = sent.get("authorization", "").partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    day = time.strftime("%Y%m%d", time.gmtime())
    scope = f"{day}/{REGION}/{service}/aws4_request"
    names = parts.get("SignedHeaders", "").split(";")
    needed = {"host", "x-amz-date"} | ({"x-amz-security-token"} if token else set())
    if kind != "AWS4-HMAC-SHA256" or parts.get("Credential") != f"{KEY}/{scope}" or not needed <= set(names):
        return False
    if token != sent.get("x-amz-security-token") or not set(names) <= sent.keys():
        return False
    signed = "".join(f"{name}:{sent[name]}\n" for name in names)
    canonical = "\n".join(
        [method, quote(path), "", signed, ";".join(names), hashlib.sha256(body).hexdigest()]
    )
    to_sign = "\n".join([kind, sent["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{SECRET}".encode()
    for part in (day, REGION, service, "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.compare_digest(hmac.digest(key, to_sign.encode(), "sha256").hex(), parts.get("Signature", ""))
