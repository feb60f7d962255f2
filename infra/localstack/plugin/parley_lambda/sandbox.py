"""One function process, its Runtime API and its log."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock, Thread
from typing import Any

from .runtime_api import Answer, Invocation, RuntimeApi, error_payload

START_SECONDS = 10
"""Maximum seconds of an import, after which Lambda starts the function again with its own time-out.

Source: docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html, "Init phase".
"""


class Sandbox:
    """Runs a handler in its own Python process, which starts when a call needs it and none runs.

    python: An interpreter with awslambdaric installed, of the function's version.
    code: The folder of the unpacked package.
    environ: The whole environment of the process, with _HANDLER.
    seconds: Maximum duration of a call.
    """

    def __init__(self, python: str, code: Path, environ: dict[str, str], seconds: float) -> None:
        self._command = [python, "-m", "awslambdaric", environ["_HANDLER"]]
        self._code = code
        self._environ = environ
        self._seconds = seconds
        # A file instead of a pipe: it has the output before a response when the response arrives.
        self._output = tempfile.NamedTemporaryFile(prefix="parley-lambda-")  # noqa: SIM115 # closed by stop
        self._api = RuntimeApi()
        self._process: subprocess.Popen[bytes] | None = None
        self._ended: Future[int] = Future()
        self._in_call = Lock()

    def start(self) -> bytes | None:
        """Start the process and wait until it has imported its handler; returns its error if it failed."""
        self._end()
        self._api = RuntimeApi()
        environ = {**self._environ, "AWS_LAMBDA_RUNTIME_API": self._api.address}
        with Path(self._output.name).open("ab") as log:
            self._process = subprocess.Popen(
                self._command, cwd=self._code, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self._ended = _future_end(self._process)
        _first((self._api.started, self._ended), START_SECONDS + self._seconds)
        return self._start_error()

    def invoke(self, invocation: Invocation) -> tuple[Answer, str]:
        """Run one event to its response; return it with the output of the process.

        A process that takes too long or dies is reported as Lambda reports it.
        """
        with self._in_call:
            return self._answer(invocation), self.take_output()

    def stop(self) -> None:
        """End the process once its call is finished, and forget its output."""
        self._in_call.acquire(timeout=self._seconds)
        self._end()
        self._output.close()

    def take_output(self) -> str:
        """Return what the process wrote since the last call of this method."""
        text = Path(self._output.name).read_text(errors="replace")
        os.truncate(self._output.name, 0)
        return text

    def _answer(self, invocation: Invocation) -> Answer:
        if self._process is None or self._process.poll() is not None:
            error = self.start()
            if error is not None:
                return Answer(error, failed=True)
        answer = self._api.submit(invocation)
        _first((answer, self._ended), self._seconds)
        return answer.result() if answer.done() else self._failure(invocation.request_id)

    def _start_error(self) -> bytes | None:
        if self._api.started.done():
            error = self._api.started.result()
        elif self._ended.done():
            error = error_payload("Runtime.ExitError", _how(self._ended.result()))
        else:
            error = error_payload("Sandbox.Timedout", "the function did not finish its import in time")
        if error is not None:
            self._end()
        return error

    def _failure(self, request_id: str) -> Answer:
        """Return the error of a call without a response, and log it in Lambda's words."""
        if self._ended.done():
            kind, what = "Runtime.ExitError", _how(self._ended.result())
            line = f"RequestId: {request_id} Error: {what}\n{kind}\n"
        else:
            kind, what = "Sandbox.Timedout", f"Task timed out after {self._seconds:.2f} seconds"
            now = datetime.now(UTC).isoformat(timespec="milliseconds")[:23]
            line = f"{now}Z {request_id} {what}\n\n"
        self._end()
        with Path(self._output.name).open("a", encoding="utf-8") as log:
            log.write(line)
        return Answer(error_payload(kind, f"RequestId: {request_id} Error: {what}"), failed=True)

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._ended.result()
            self._process = None
        self._api.close()


def deadline(seconds: float) -> int:
    """Return the Unix time, in ms, that is some seconds from now."""
    return int((time.time() + seconds) * 1000)


def _first(futures: Iterable[Future[Any]], seconds: float) -> None:
    wait(futures, seconds, FIRST_COMPLETED)


def _future_end(process: subprocess.Popen[bytes]) -> Future[int]:
    ended: Future[int] = Future()
    Thread(target=lambda: ended.set_result(process.wait()), daemon=True).start()
    return ended


def _how(status: int) -> str:
    if status == 0:
        return "Runtime exited without providing a reason"
    why = f"exit status {status}" if status > 0 else f"signal: {(signal.strsignal(-status) or '').lower()}"
    return f"Runtime exited with error: {why}"
