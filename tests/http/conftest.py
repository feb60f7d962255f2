"""Servers for the HTTP tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.http.client import Api, new_pair
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


@pytest.fixture(scope="session")
def twelve(open_url: str) -> str:
    """A chat of twelve messages, 0 to B."""
    api = Api(open_url)
    chat, alice, _ = new_pair()
    for text in "0123456789AB":
        api.send(chat=chat, sender=alice, text=text)
    api.close()
    return chat


@pytest.fixture
def own_gateway() -> Iterator[Gateway]:
    """An open server that no other test uses."""
    with running_gateway() as server:
        yield server
