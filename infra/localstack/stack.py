"""The store, LocalStack and the deployed stack, together."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from infra.deploy.deployment import Deployment
from infra.deploy.sessions import Session, open_session, region_of
from infra.local.shutdown import Shutdown, say
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
def running(port: int, folder: Path, shutdown: Shutdown) -> Iterator[Running]:
    """Run all of it until the context ends.

    port: LocalStack's, 0 for any. folder: where the store keeps its data, unless REDIS_URL names a store.
    Raises StartError or DeployError, leaving nothing running.
    """
    region_of(STAGE)
    with _store(folder, shutdown) as redis_url:
        say("Starting LocalStack")
        with server.running(port, shutdown, {"REDIS_URL": redis_url}) as localstack:
            os.environ["AWS_ENDPOINT_URL"] = localstack.endpoint
            session = open_session(STAGE)
            deployment = Deployment(session, f"parley-{STAGE}", STAGE, say)
            deployment.run({"RedisUrl": redis_url})
            yield Running(deployment, localstack, session, redis_url)


@contextlib.contextmanager
def _store(folder: Path, shutdown: Shutdown) -> Iterator[str]:
    if url := os.environ.get("REDIS_URL", "").strip():
        yield url
        return
    with embedded(folder, shutdown, "LOCALSTACK_DATA") as (url, _):
        yield url
