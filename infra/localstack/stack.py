"""The store, LocalStack and the deployed stack, together."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from infra.deploy.deployment import Deployment
from infra.deploy.sessions import open_session, region_of
from infra.local.shutdown import Shutdown, StartError, say
from infra.local.valkey import embedded
from infra.localstack import server

STAGE = "localstack"
PASSED_ON = ("PARLEY_RATE_LIMITS", "PARLEY_ARGON2")
"""Settings that the functions get from this process."""


class Running(NamedTuple):
    """What runs: the deployment, and the LocalStack it is on."""

    deployment: Deployment
    localstack: server.LocalStack


@contextlib.contextmanager
def running(port: int, data: Path | None, shutdown: Shutdown) -> Iterator[Running]:
    """Run all of it until the context ends, or this process does.

    port: LocalStack's, 0 for any. data: where the store keeps the messages, None to keep none; without
    effect when REDIS_URL names a store.
    Raises StartError, DeployError or PackageError, leaving nothing running.
    """
    region_of(STAGE)
    with contextlib.ExitStack() as held:
        temporary = tempfile.TemporaryDirectory(prefix="parley-localstack-", ignore_cleanup_errors=True)
        folder = Path(held.enter_context(temporary))
        redis_url, socket = held.enter_context(_store(data or folder / "data", shutdown))
        say("Starting LocalStack")
        started = server.running(port, folder, shutdown, {"REDIS_URL": redis_url, **_settings()}, socket)
        localstack = held.enter_context(started)
        os.environ["AWS_ENDPOINT_URL"] = localstack.endpoint
        told = _say_unless_stopped(shutdown)
        deployment = Deployment(open_session(STAGE), f"parley-{STAGE}", STAGE, told)
        deployment.run({"RedisUrl": redis_url})
        yield Running(deployment, localstack)


@contextlib.contextmanager
def _store(data: Path, shutdown: Shutdown) -> Iterator[tuple[str, Path | None]]:
    """Give the store's URL, and its socket if it is ours."""
    if url := os.environ.get("REDIS_URL", "").strip():
        yield url, None
        return
    with embedded(data, shutdown, "LOCALSTACK_DATA") as held:
        yield held.url, held.socket


def _settings() -> dict[str, str]:
    return {name: value for name in PASSED_ON if (value := os.environ.get(name, "").strip())}


def _say_unless_stopped(shutdown: Shutdown) -> Callable[[str], None]:
    def told(line: str) -> None:
        if shutdown.requested:
            raise StartError("stopped before the stack was deployed")
        say(line)

    return told
