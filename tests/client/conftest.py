"""A scripted server, and clients that do not keep a test waiting."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, Protocol, TypeVar

import pytest

from parley_client import AsyncClient, Event, Message, Settings
from tests.client.scripted_server import ScriptedServer
from tests.local.raw_http import port_of
from tests.servers.gateway import gateway
from tests.servers.no_upgrades import without_upgrades

E = TypeVar("E", bound=Event)
SECONDS = 60.0
"""The time limit of a test, in seconds."""


@pytest.fixture(scope="package")
def open_server() -> Iterator[str]:
    """The URL of a server that trusts names."""
    with gateway({}, ["--workers", "2"]) as url:
        yield url


@pytest.fixture(scope="package")
def socketless_server() -> Iterator[str]:
    """The URL of a server whose WebSockets cannot be reached."""
    with gateway({}, ["--workers", "2"]) as url, without_upgrades(port_of(url)) as proxied:
        yield proxied


@pytest.fixture(scope="package")
def closed_server() -> Iterator[str]:
    """The URL of a server that requires tokens."""
    with gateway({"PARLEY_AUTH": "required"}, ["--workers", "2"]) as url:
        yield url


class Making(Protocol):
    """Makes a client of the scripted server, which is closed after the test."""

    async def __call__(self, **given: Any) -> AsyncClient:
        """given: fields of Settings, and `user`, `token` and `state` of the client."""


@pytest.fixture
def anyio_backend() -> str:
    """Tests are coroutines of asyncio."""
    return "asyncio"


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    """A scripted server."""
    async with ScriptedServer() as running:
        yield running


@pytest.fixture
async def making(server: ScriptedServer) -> AsyncIterator[Making]:
    """See Making."""
    clients: list[AsyncClient] = []

    async def make(**given: Any) -> AsyncClient:
        who = {name: given.pop(name) for name in ("user", "token", "state") if name in given}
        if not {"user", "token"} & who.keys():
            who["user"] = "me"
        if "token" not in who:
            given.setdefault("socket_url", server.socket_url)
        given = {"gap_seconds": 0.05, "backoff_base": 0.01, "backlog": None, **given}
        clients.append(await AsyncClient(server.url, settings=Settings(**given), **who).start())
        return clients[-1]

    yield make
    for client in clients:
        await client.close()


async def take(client: AsyncClient, kind: type[E], check: Callable[[E], bool] = lambda _: True) -> E:
    """Return the next event of a type that passes a check; earlier ones are dropped."""
    async with asyncio.timeout(SECONDS):
        while True:
            event = await client.next_event()
            if isinstance(event, kind) and check(event):
                return event


async def messages(client: AsyncClient, count: int) -> list[tuple[str, int, str]]:
    """Return the next messages: chat, seq and text."""
    taken = [await take(client, Message) for _ in range(count)]
    return [(message.chat, message.seq, message.text) for message in taken]
