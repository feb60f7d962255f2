"""One LocalStack for the tests here, which change its functions and put them back."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.servers.localstack import LocalStackServer, running_localstack

Configure = Callable[..., AbstractContextManager[None]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test here as one that needs LocalStack, and have one worker run all that share it."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            alone = "own" in getattr(item, "fixturenames", ())
            item.add_marker(pytest.mark.localstack)
            item.add_marker(pytest.mark.xdist_group("own" if alone else "localstack"))


@pytest.fixture(scope="session")
def server() -> Iterator[LocalStackServer]:
    """Parley on LocalStack."""
    with running_localstack() as server:
        yield server


@pytest.fixture
def http(server: LocalStackServer) -> Iterator[httpx.Client]:
    """A client of the deployed API."""
    with httpx.Client(base_url=server.url, timeout=60) as client:
        yield client


@pytest.fixture
def configured(server: LocalStackServer) -> Configure:
    """Return a function that changes the API function's configuration for a while."""
    client, name = server.client("lambda"), server.resource("APIHandler")

    def change(**configuration: Any) -> None:
        client.update_function_configuration(FunctionName=name, **configuration)
        client.get_waiter("function_updated_v2").wait(FunctionName=name)

    @contextlib.contextmanager
    def configured(timeout: int | None = None, **variables: str) -> Iterator[None]:
        before = client.get_function_configuration(FunctionName=name)
        was = before["Environment"]["Variables"]
        change(Timeout=timeout or before["Timeout"], Environment={"Variables": {**was, **variables}})
        try:
            yield
        finally:
            change(Timeout=before["Timeout"], Environment={"Variables": was})

    return configured


@pytest.fixture
def silent_store() -> Iterator[socket.socket]:
    """A server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        yield listener
