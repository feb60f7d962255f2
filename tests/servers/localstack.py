"""Parley on a LocalStack of the tests' own."""

from __future__ import annotations

import contextlib
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import localstack_client.session

from tests.servers.process import ServerProcess

READY = re.compile(r"^Parley is on LocalStack at (\S+)$", re.MULTILINE)
LOG = re.compile(r"^The functions' log: (\S+)$", re.MULTILINE)
START_SECONDS = 300.0  # the first start installs LocalStack


class LocalStackServer(ServerProcess):
    """One running `python -m infra.localstack` on a free port, with a store that is gone afterwards."""

    def __init__(self, folder: Path, env: Mapping[str, str]) -> None:
        super().__init__(folder, ["infra.localstack", "--port", "0", "--ephemeral"], env, READY)

    @property
    def endpoint(self) -> str:
        """LocalStack's own URL."""
        return f"http://{urlsplit(self.url).netloc}"

    @property
    def functions_log(self) -> Path:
        """The output of all functions."""
        found = LOG.search(self.output())
        assert found is not None
        return Path(found[1])

    def client(self, service: str) -> Any:
        """Return a boto3 client of a service."""
        host = urlsplit(self.url).netloc
        return localstack_client.session.Session(localstack_host=host).client(service)

    def resource(self, name: str) -> str:
        """Return the id of a resource, such as a function's name, by its name in the template."""
        found = self.client("cloudformation").describe_stack_resource(
            StackName="parley-localstack", LogicalResourceId=name
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    def function_processes(self) -> set[int]:
        """Return the ids of the processes that run the API's function."""
        return {int(process.name) for process in Path("/proc").glob("[0-9]*") if self._runs(process)}

    def _runs(self, process: Path) -> bool:
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            variables = (process / "environ").read_bytes().split(b"\0")
        except OSError:
            return False
        ours = f"AWS_ENDPOINT_URL={self.endpoint}".encode() in variables
        return ours and b"awslambdaric" in command and b"app.app" in command


@contextlib.contextmanager
def running_localstack(env: Mapping[str, str] | None = None) -> Iterator[LocalStackServer]:
    """Run Parley on a new LocalStack; see LocalStackServer."""
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        server = LocalStackServer(Path(folder), env or {})
        try:
            server.wait_until_ready(START_SECONDS)
            yield server
        finally:
            server.stop()
