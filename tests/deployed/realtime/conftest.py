"""The servers with WebSockets: the one that --url names, or two started here, which push in two ways."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from infra.local.options import CHALICE
from tests.deployed.client import Api, people_of
from tests.deployed.conftest import PATIENT, WORKERS
from tests.deployed.people import People
from tests.deployed.realtime.users import Net
from tests.deployed.target import Target, guessed_kind
from tests.servers.engines import ValkeyEngine
from tests.servers.gateway import gateway

PUSHES = ["directly", pytest.param("by wire", marks=pytest.mark.long)]
BY_WIRE = {"PUSH_BY_WIRE": "1", "DISPATCH": CHALICE}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test with both ways of a local server to push, or as the server at --url does."""
    if "push" in metafunc.fixturenames:
        given = metafunc.config.getoption("--url")
        metafunc.parametrize("push", PUSHES if given is None else ["as deployed"], scope="session")


class Server(NamedTuple):
    """A server started here with a store of its own, which has no other connections."""

    store: ValkeyEngine
    url: str


@contextlib.contextmanager
def serving(**variables: str) -> Iterator[Server]:
    """Run a closed server."""
    with ValkeyEngine() as store:
        settings = {**PATIENT, **variables, "REDIS_URL": store.url, "PARLEY_AUTH": "required"}
        with gateway(settings, WORKERS) as url:
            yield Server(store, url)


@pytest.fixture(scope="session")
def pushing_directly() -> Iterator[Server]:
    """A server that pushes directly."""
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def pushing_by_wire() -> Iterator[Server]:
    """A server that pushes through its own management API, and calls the application through Chalice."""
    with serving(**BY_WIRE) as server:
        yield server


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, given_url: str | None, push: str) -> Server | None:
    """The server of one way to push; None: it was not started here."""
    if given_url is not None:
        return None
    found: Server = request.getfixturevalue(f"pushing_{push.replace(' ', '_')}")
    return found


@pytest.fixture(scope="session")
def realtime_target(pytestconfig: pytest.Config, given_url: str | None, server: Server | None) -> Target:
    """The tested server."""
    if server is not None:
        return Target("gateway", server.url)
    assert given_url is not None
    return Target(pytestconfig.getoption("--target") or guessed_kind(given_url), given_url)


@pytest.fixture(scope="session")
def crowd(realtime_target: Target) -> Iterator[People]:
    """Users with accounts there."""
    client = Api(realtime_target.url)
    yield people_of(client)
    client.close()


@pytest.fixture
def net(realtime_target: Target, crowd: People) -> Iterator[Net]:
    """Users and their devices."""
    if realtime_target.differs("sockets-are-missing"):
        pytest.skip("this target has no sockets")
    net = Net(realtime_target, crowd)
    yield net
    net.close()
