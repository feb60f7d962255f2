"""A Lambda executor that runs functions as processes of this machine.

Its settings, in LocalStack's environment: PARLEY_LAMBDA_PYTHON, the interpreter of the functions;
PARLEY_LAMBDA_ENVIRONMENT, a JSON object of variables for every function that does not set them itself;
PARLEY_LAMBDA_LOG, a file for the logs of all functions.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import time
from pathlib import Path
from typing import Any

from localstack.services.lambda_.invocation.executor_endpoint import StatusErrorException
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor

from .runtime_api import Invocation
from .sandbox import Sandbox, deadline

KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "PARLEY_CI_RUN")


class ProcessExecutor(RuntimeExecutor):  # type: ignore[misc] # LocalStack carries no types
    """One execution environment: a function process that serves one call at a time."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002 # LocalStack's name
        super().__init__(id, function_version)
        self._sandbox: Sandbox | None = None

    def start(self, env_vars: dict[str, str]) -> None:
        """Start the process; raises StatusErrorException, with the function's error, if its import fails."""
        settings = self.function_version.config
        code = Path(settings.code.get_unzipped_code_location())
        self._sandbox = Sandbox(_python(), code, _environ(env_vars, code), float(settings.timeout))
        error = self._sandbox.start()
        if error is not None:
            _log(self._sandbox.take_output())
            raise StatusErrorException("the function failed to start", payload=error)

    def stop(self) -> None:
        """End the process."""
        if self._sandbox is not None:
            self._sandbox.stop()
            self._sandbox = None

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one call, and return its response with the log lines that Lambda writes around it."""
        sandbox = self._sandbox
        if sandbox is None:
            raise LambdaRuntimeException("the execution environment has been stopped")
        request_id, settings = payload["invoke-id"], self.function_version.config
        began = time.monotonic()
        answer, output = sandbox.invoke(
            Invocation(
                request_id,
                payload["invoked-function-arn"],
                payload["trace-id"],
                deadline(settings.timeout),
                payload["payload"].encode(),
            )
        )
        lines = _report(self.function_version, request_id, output, time.monotonic() - began)
        _log(lines)
        return InvocationResult(request_id, answer.payload, is_error=answer.failed, logs=lines)

    def get_logs(self) -> str:
        """Return what the process wrote outside of calls."""
        return self._sandbox.take_output() if self._sandbox is not None else ""

    def get_address(self) -> str:
        """Return the address of the process."""
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        """Return the address by which the process reaches LocalStack."""
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        """Return LocalStack's own callback address, which a process does not use."""
        return ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack the code; raises LambdaRuntimeException if the interpreter has another runtime."""
        wanted, there = function_version.config.runtime, _runtime()
        if wanted != there:
            raise LambdaRuntimeException(f"the function needs {wanted}, but functions run on {there} here")
        function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Leave the unpacked code to LocalStack, which removes it with its folder."""


def _environ(env_vars: dict[str, Any], code: Path) -> dict[str, str]:
    defaults = json.loads(os.environ.get("PARLEY_LAMBDA_ENVIRONMENT", "{}"))
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    given = {name: str(value) for name, value in env_vars.items()}
    return {**kept, **defaults, **given, "LAMBDA_TASK_ROOT": str(code), "PYTHONDONTWRITEBYTECODE": "1"}


def _report(version: FunctionVersion, request_id: str, output: str, seconds: float) -> str:
    """Add Lambda's own lines around a call's output; the used memory is not measured."""
    ended = "" if not output or output.endswith("\n") else "\n"
    milliseconds = seconds * 1000
    return (
        f"START RequestId: {request_id} Version: {version.id.qualifier}\n"
        f"{output}{ended}"
        f"END RequestId: {request_id}\n"
        f"REPORT RequestId: {request_id}\tDuration: {milliseconds:.2f} ms\t"
        f"Billed Duration: {int(milliseconds) + 1} ms\tMemory Size: {version.config.memory_size} MB\n"
    )


def _log(lines: str) -> None:
    if path := os.environ.get("PARLEY_LAMBDA_LOG"):
        with Path(path).open("a", encoding="utf-8") as log:
            log.write(lines)


def _python() -> str:
    return os.environ["PARLEY_LAMBDA_PYTHON"]


@functools.cache
def _runtime() -> str:
    code = "import sys; print(f'python{sys.version_info.major}.{sys.version_info.minor}')"
    return subprocess.run([_python(), "-c", code], capture_output=True, text=True, check=True).stdout.strip()
