"""The Lambda Runtime API for one function process.

Source: docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
from concurrent.futures import Future
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

PREFIX = "/2018-06-01/runtime/"
MAX_REPLY_BYTES = 6_291_556
"""Source: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html, as its error message words it."""


def error_payload(kind: str, message: str) -> bytes:
    """Return an error in the form in which Lambda reports it to a caller."""
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


class Invocation(NamedTuple):
    """One event for the process.

    arn: The function's.
    trace: An X-Ray header.
    deadline_ms: Unix time.
    """

    request_id: str
    arn: str
    trace: str
    deadline_ms: int
    payload: bytes


class Answer(NamedTuple):
    """The result of an event; failed: The function raised, and the payload describes the error."""

    payload: bytes
    failed: bool


TOO_LARGE = Answer(
    error_payload(
        "Function.ResponseSizeTooLarge",
        f"Response payload size exceeded maximum allowed payload size ({MAX_REPLY_BYTES} bytes).",
    ),
    failed=True,
)


class RuntimeApi:
    """Gives events to one process, one at a time, and takes its responses; address: host:port it listens on.

    started: Completes when the process requests its first event; the result is None, or the import error.
    """

    def __init__(self) -> None:
        self.started: Future[bytes | None] = Future()
        self._events: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._answer: Future[Answer] = Future()
        api = self

        class Handler(_Handler):
            runtime = api

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def submit(self, invocation: Invocation) -> Future[Answer]:
        """Pass an event to the process, and return the future of its response."""
        self._answer = Future()
        self._events.put(invocation)
        return self._answer

    def close(self) -> None:
        """Stop listening and end a waiting call for the next event."""
        self._events.put(None)
        self._server.shutdown()
        self._server.server_close()

    def next_event(self) -> Invocation | None:
        """Wait for the next event; None when the API closes."""
        _settle(self.started, None)
        return self._events.get()

    def take_answer(self, answer: Answer) -> None:
        """Take the process's response to its event; one that is too large becomes an error."""
        _settle(self._answer, answer if len(answer.payload) <= MAX_REPLY_BYTES else TOO_LARGE)

    def take_start_error(self, error: bytes) -> None:
        """Take the error by which the process failed to import."""
        _settle(self.started, error)


class _Handler(BaseHTTPRequestHandler):
    runtime: RuntimeApi
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        """Wait for an event, and send it; the only GET path is `invocation/next`."""
        event = self.runtime.next_event()
        if event is None:
            self._reply(HTTPStatus.GONE)
            return
        headers = {
            "Lambda-Runtime-Aws-Request-Id": event.request_id,
            "Lambda-Runtime-Invoked-Function-Arn": event.arn,
            "Lambda-Runtime-Trace-Id": event.trace,
            "Lambda-Runtime-Deadline-Ms": str(event.deadline_ms),
            "Content-Type": "application/json",
        }
        self._reply(HTTPStatus.OK, headers, event.payload)

    def do_POST(self) -> None:
        """Take a response, an error or an import error."""
        body = self._body()
        if self.path == f"{PREFIX}init/error":
            self.runtime.take_start_error(body)
        else:
            self.runtime.take_answer(Answer(body, self.path.endswith("/error")))
        self._reply(HTTPStatus.ACCEPTED)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _reply(self, status: HTTPStatus, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        # A killed process does not read its response.
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            for name, value in {**(headers or {}), "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 # the base class's name
        """Log nothing: LocalStack logs the invocation."""


def _settle(future: Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)
