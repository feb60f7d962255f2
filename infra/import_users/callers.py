"""Where an import runs: in this process on a store, or in the Lambda function."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec

from chalicelib.errors import ConfigError, ParleyError
from chalicelib.schemas.imports import ImportReport, ImportRequest
from infra.local.data import SOCKET, DataFolder

READ_SECONDS = 90
Progressed = Callable[[ImportReport], None]


class ImportFailure(Exception):
    """An import cannot start or has failed as a whole; the message says what to do, in one line."""


class Caller(Protocol):
    """Makes one call of an import; tick: Called with the report so far, if it is known."""

    def __call__(self, request: ImportRequest, tick: Progressed, /) -> ImportReport: ...


class Lambda(Protocol):
    """The part of boto3's Lambda client that the import uses."""

    def invoke(self, *, FunctionName: str, Payload: bytes) -> Any:  # noqa: N803  # boto3's own names
        """Invoke a function; the response's Payload is a stream of JSON."""


class LocalCaller:
    """Runs imports in this process, with the settings of the environment."""

    def __init__(self) -> None:
        from chalicelib import services
        from chalicelib.services.imports.state import ImportRun

        os.environ.setdefault("PARLEY_STAGE", "local")
        try:
            self._services = services.current()
            self._services.health()
        except ConfigError as error:
            raise ImportFailure(str(error)) from None
        except ParleyError as error:
            raise ImportFailure(f"the store does not respond: {error.__cause__ or error}") from None
        self._run = ImportRun()

    def __call__(self, request: ImportRequest, tick: Progressed) -> ImportReport:
        """Make a call, and report each user."""
        return self._services.imports.call(request, self._run, tick)


class LambdaCaller:
    """Runs imports by invoking the `import_users` function."""

    def __init__(self, client: Lambda, function: str) -> None:
        self._client = client
        self._function = function

    def __call__(self, request: ImportRequest, tick: Progressed) -> ImportReport:
        """Make a call, and report at its end."""
        answer = self._client.invoke(FunctionName=self._function, Payload=msgspec.json.encode(request))
        body = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise ImportFailure(f"{self._function} failed: {body.get('errorMessage', 'no reason given')}")
        if "code" in body:
            raise ImportFailure(f"{self._function} returned: {body['msg']}")
        report = msgspec.convert(body, ImportReport)
        tick(report)
        return report


def lambda_caller(stage: str, function: str) -> LambdaCaller:
    """Return a caller of a deployed function; raises DeployError without AWS credentials that work."""
    from botocore.config import Config

    from infra.deploy.sessions import open_session

    # A second attempt could start while the first still runs.
    patience = Config(read_timeout=READ_SECONDS, retries={"total_max_attempts": 1})
    return LambdaCaller(open_session(stage).client("lambda", config=patience), function)


def find_store(folder: Path) -> None:
    """Set REDIS_URL, unless it is set, to the store that `make run` has in a data folder.

    Raises ImportFailure if neither exists.
    """
    if os.environ.get("REDIS_URL", "").strip():
        return
    folder = folder.expanduser().absolute()
    hint = f"start `make run` in another terminal (its DATA is {folder}), or set REDIS_URL"
    if not folder.is_dir():
        raise ImportFailure(f"no store: {hint}")
    data = DataFolder(folder.resolve())
    with socket.socket(socket.AF_UNIX) as probe:
        if probe.connect_ex(str(data.socket)) != 0:
            raise ImportFailure(f"no store responds at {data.path / SOCKET}: {hint}")
    os.environ["REDIS_URL"] = data.url
