"""The store, LocalStack and the deployed stack, together."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from infra.deploy.deployment import Deployment
from infra.deploy.sessions import Session, open_session, region_of
from infra.local.shutdown import Shutdown, StartError, say
from infra.local.valkey import embedded
from infra.localstack import server

STAGE = "localstack"


class Running(NamedTuple):
    """What runs: the deployment, LocalStack, a session of it, and the store's URL."""

    deployment: Deployment
    localstack: server.LocalStack
    session: Session
    redis_url: str


@contextlib.contextmanager
def running(port: int, data: Path | None, shutdown: Shutdown) -> Iterator[Running]:
    """Run all of it until the context ends, or this process does.

    port: LocalStack's, 0 for any. data: where the store keeps the messages, None to keep none; without
    effect when REDIS_URL names a store.
    Raises StartError, DeployError or PackageError, leaving nothing running.
    """
    region_of(STAGE)
    with _folder() as folder, _store(data or folder / "data", shutdown) as (redis_url, socket):
        say("Starting LocalStack")
        environment = {"REDIS_URL": redis_url}
        with server.running(port, folder, shutdown, environment, socket) as localstack:
            os.environ["AWS_ENDPOINT_URL"] = localstack.endpoint
            session = open_session(STAGE)
            deployment = Deployment(session, f"parley-{STAGE}", STAGE, _say_unless_stopped(shutdown))
            deployment.run({"RedisUrl": redis_url})
            yield Running(deployment, localstack, session, redis_url)


@contextlib.contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="parley-localstack-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@contextlib.contextmanager
def _store(data: Path, shutdown: Shutdown) -> Iterator[tuple[str, Path | None]]:
    """Give the store's URL, and its socket if it is ours."""
    if url := os.environ.get("REDIS_URL", "").strip():
        yield url, None
        return
    with embedded(data, shutdown, "LOCALSTACK_DATA") as (url, _):
        yield url, Path(unquote(url.removeprefix("unix://")))


def _say_unless_stopped(shutdown: Shutdown) -> Callable[[str], None]:
    def told(line: str) -> None:
        if shutdown.requested:
            raise StartError("stopped before the stack was deployed")
        say(line)

    return told
