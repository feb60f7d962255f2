"""Direct invocations of the `rpc` function, as `lambda.invoke` of boto3 makes them."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self
from urllib.parse import urlsplit

import boto3
import localstack_client.session

ROOT = Path(__file__).resolve().parents[2]
# The function's own log goes to standard error; an answer is one line.
SERVE = """
import json, sys
from app import rpc
for line in sys.stdin:
    print(json.dumps(rpc(json.loads(line), None)), flush=True)
"""


class Lambda(Protocol):
    """The part of boto3's Lambda client that is used here."""

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803  # boto3's own names
        """Invoke a function; the answer's Payload is a stream of JSON."""


class Rpc:
    """Invokes one function of a Lambda client."""

    def __init__(self, client: Lambda, function: str) -> None:
        self._client = client
        self._function = function

    def __call__(self, event: Any) -> Any:
        """Return what the function answers to an event; a function that crashed fails the test."""
        answer = self._client.invoke(FunctionName=self._function, Payload=json.dumps(event).encode())
        body = answer["Payload"].read()
        assert answer["StatusCode"] == 200
        assert "FunctionError" not in answer, body
        return json.loads(body)

    def send(self, **params: Any) -> Any:
        """Send a message."""
        return self({"method": "send", "params": params})

    def pull(self, **params: Any) -> Any:
        """Pull a page."""
        return self({"method": "pull", "params": params})


class ProcessLambda:
    """Runs app.rpc in a process of its own, on the store of a local server, which has no Lambda API."""

    def __init__(self, redis_url: str) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("PARLEY_")}
        settings = {"REDIS_URL": redis_url, "PARLEY_STAGE": "local", "PARLEY_AUTH": "open"}
        self._process = subprocess.Popen(
            [sys.executable, "-c", SERVE],
            cwd=ROOT,
            env={**clean, **settings},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )

    def invoke(self, *, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803  # boto3's own names
        """Invoke app.rpc."""
        assert FunctionName == "rpc"
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(Payload + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        return {"StatusCode": 200, "Payload": io.BytesIO(line)} | ({} if line else {"FunctionError": "Exit"})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()


def aws_lambda() -> Any:
    """Return a Lambda client of AWS, with the region and credentials of the environment."""
    return boto3.client("lambda")


def emulated_lambda(url: str) -> Any:
    """Return a Lambda client of the emulator that serves a URL."""
    host = urlsplit(url).netloc.rpartition(".execute-api.")[2]
    return localstack_client.session.Session(localstack_host=host).client("lambda")
