"""The store, an emulator and the deployed stack, together."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from infra.deploy.deployment import Deployment
from infra.deploy.sessions import open_session, region_of
from infra.emulator.process import Emulator
from infra.local.shutdown import Shutdown, StartError, say
from infra.local.store.valkey import embedded

PASSED_ON = (
    "PARLEY_RATE_LIMITS",
    "PARLEY_ARGON2",
    "PARLEY_LEASE_SECONDS",
    "PARLEY_WORD_FILTER",
    "PARLEY_WORD_FILTER_FAILS",
)
"""Settings that the functions get from this process."""


class Start(Protocol):
    """Starts an emulator, and ends it with the context."""

    def __call__(
        self, port: int, folder: Path, shutdown: Shutdown, environment: Mapping[str, str], store: Path | None
    ) -> AbstractContextManager[Emulator]:
        """Run it on a port, 0 for a free one.

        environment: Variables of every function that does not set them itself.
        folder, store: See Emulator.
        Raises StartError.
        """


class Kind(NamedTuple):
    """An emulator that Parley is deployed to.

    name: Its name for people.
    stage: The stage of .chalice/config.json. Its name is the prefix of the emulator's variables, such as
        LOCALSTACK_PORT.
    folder: The folder of its environments.
    parameters: Parameters of the stage's template for this emulator.
    """

    name: str
    stage: str
    folder: Path
    start: Start
    parameters: Callable[[Emulator], Mapping[str, str]]


class Running(NamedTuple):
    """A running deployment, and its emulator."""

    deployment: Deployment
    emulator: Emulator


@contextlib.contextmanager
def running(kind: Kind, port: int, data: Path | None, shutdown: Shutdown) -> Iterator[Running]:
    """Run all of it until the context ends, or this process does.

    port: The emulator's, 0 for a free one.
    data: The store's folder for messages, None to keep none; unused if REDIS_URL names a store.
    Raises StartError, DeployError or PackageError; nothing is left running.
    """
    region_of(kind.stage)
    with contextlib.ExitStack() as held:
        temporary = tempfile.TemporaryDirectory(prefix=f"parley-{kind.stage}-", ignore_cleanup_errors=True)
        folder = Path(held.enter_context(temporary))
        redis_url, socket = held.enter_context(_store(kind, data or folder / "data", shutdown))
        say(f"Starting {kind.name}")
        started = kind.start(port, folder, shutdown, {"REDIS_URL": redis_url, **_settings()}, socket)
        emulator = held.enter_context(started)
        os.environ["AWS_ENDPOINT_URL"] = emulator.endpoint
        report = _say_unless_stopped(shutdown)
        deployment = Deployment(open_session(kind.stage), f"parley-{kind.stage}", kind.stage, report)
        deployment.run({"RedisUrl": redis_url, **kind.parameters(emulator)})
        yield Running(deployment, emulator)


@contextlib.contextmanager
def _store(kind: Kind, data: Path, shutdown: Shutdown) -> Iterator[tuple[str, Path | None]]:
    """Yield the store's URL, and its socket if this process runs it."""
    if url := os.environ.get("REDIS_URL", "").strip():
        yield url, None
        return
    with embedded(data, shutdown, f"{kind.stage.upper()}_DATA") as held:
        yield held.url, held.socket


def _settings() -> dict[str, str]:
    return {name: value for name in PASSED_ON if (value := os.environ.get(name, "").strip())}


def _say_unless_stopped(shutdown: Shutdown) -> Callable[[str], None]:
    def report(line: str) -> None:
        if shutdown.requested:
            raise StartError("stopped before the stack was deployed")
        say(line)

    return report
