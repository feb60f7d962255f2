"""An AWS or LocalStack for the deploy command, in which nothing changes, and its clients."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

SECONDS = 120

ABSENT = (
    "<ErrorResponse><Error><Code>ValidationError</Code><Message>It does not exist</Message></Error>"
    "</ErrorResponse>"
)
STACK = """
<Stacks><member>
  <StackName>parley-localstack</StackName><CreationTime>2026-11-01T00:00:00Z</CreationTime>
  <StackStatus>CREATE_COMPLETE</StackStatus>
  <Outputs><member><OutputKey>RestAPIId</OutputKey><OutputValue>abc</OutputValue></member></Outputs>
</member></Stacks>
"""
ANSWERS = {
    "GetCallerIdentity": "<Account>111122223333</Account>",
    "DescribeStacks": STACK,
    "DescribeStackEvents": "<StackEvents/>",
    "DescribeStackResource": "<StackResourceDetail><PhysicalResourceId>rpc</PhysicalResourceId>"
    "</StackResourceDetail>",
    "CreateChangeSet": "<Id>changes</Id>",
    "DescribeChangeSet": "<Status>CREATE_COMPLETE</Status><StackId>stack</StackId><Changes/>",
}


class Cloud:
    """An AWS or LocalStack in which nothing changes.

    there: whether the stack is. held: the action that gets no answer until `released`.
    """

    def __init__(self, *, there: bool, held: str = "") -> None:
        self._there = there
        self._held = held
        self.reached = threading.Event()
        self.released = threading.Event()

    def answer(self, action: str) -> tuple[int, str]:
        """Return the status and the body for an action."""
        if action == self._held:
            self.reached.set()
            self.released.wait(SECONDS)
        if action == "DescribeStacks" and not self._there:
            return 400, ABSENT
        result = ANSWERS.get(action, "")
        return 200, f"<{action}Response><{action}Result>{result}</{action}Result></{action}Response>"

    def handler(self, *arguments: Any) -> BaseHTTPRequestHandler:
        """Return a handler of one connection."""
        cloud = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                self._send(*cloud.answer(form["Action"][0]))

            def do_GET(self) -> None:
                known = self.path in ("/_localstack/health", "/_aws/execute-api/abc/localstack/ping")
                self._send(200 if known else 404, '{"services": {}}')

            def do_HEAD(self) -> None:
                self._send(200, "")

            def _send(self, status: int, body: str) -> None:
                with contextlib.suppress(ConnectionError):  # who was stopped is gone
                    self.send_response(status)
                    self.end_headers()
                    self.wfile.write(body.encode())

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the base class's name
                pass

        return Handler(*arguments)


class OneClient:
    """A session that gives one client."""

    region_name = "us-east-1"

    def __init__(self, client: Any) -> None:
        self._client = client

    def client(self, service_name: str, **options: Any) -> Any:
        """Return the client."""
        return self._client


class Clients:
    """A session that gives some clients, by service."""

    region_name = "us-east-1"

    def __init__(self, clients: Mapping[str, Any]) -> None:
        self._clients = clients

    def client(self, service_name: str, **options: Any) -> Any:
        """Return the client of a service."""
        return self._clients[service_name]


def somebody(home: Path) -> dict[str, str]:
    """Return the variables of a user with credentials and a region."""
    return {
        "HOME": str(home),
        "UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv")),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
