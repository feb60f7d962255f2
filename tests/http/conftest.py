"""Servers for the HTTP tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deployed.client import Api, client_of, people_of
from tests.deployed.people import People
from tests.http.chat_requests import SMALL_CHATS
from tests.servers.gateway import Gateway, gateway, running_gateway


@pytest.fixture(scope="session")
def open_url() -> Iterator[str]:
    """The base URL of an open server on an embedded store."""
    with gateway() as url:
        yield url


@pytest.fixture(scope="session")
def small_chats_url() -> Iterator[str]:
    """The base URL of a closed server on which a chat has few members."""
    with gateway(env=SMALL_CHATS) as url:
        yield url


@pytest.fixture(scope="module")
def url(open_url: str) -> str:
    """The base URL of the server that a module tests: the open one, unless the module has its own."""
    return open_url


@pytest.fixture
def api(url: str) -> Iterator[Api]:
    """A client of that server."""
    yield from client_of(url)


@pytest.fixture
def people(api: Api) -> People:
    """Users with accounts on the server."""
    return people_of(api)


@pytest.fixture
def own_gateway() -> Iterator[Gateway]:
    """An open server that no other test uses."""
    with running_gateway() as server:
        yield server
