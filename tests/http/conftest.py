"""Servers for the HTTP tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deployed.client import Api
from tests.servers.gateway import Gateway, gateway, running_gateway


@pytest.fixture(scope="session")
def open_url() -> Iterator[str]:
    """The base URL of an open server on an embedded store."""
    with gateway() as url:
        yield url


@pytest.fixture
def api(open_url: str) -> Iterator[Api]:
    """A client of the open server."""
    client = Api(open_url)
    yield client
    client.close()


@pytest.fixture
def own_gateway() -> Iterator[Gateway]:
    """An open server that no other test uses."""
    with running_gateway() as server:
        yield server
