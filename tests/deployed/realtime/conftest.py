"""The servers with sockets: the one that --url names, or two started here, which push in two ways."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deployed.client import Api
from tests.deployed.conftest import PATIENT, WORKERS
from tests.deployed.people import People
from tests.deployed.realtime.net import Net
from tests.deployed.target import Target, guessed_kind
from tests.servers.gateway import gateway

PUSHES = ["directly", "by wire"]
# A push that is late is lost, and machines are slow.
BY_WIRE = {"PUSH_BY_WIRE": "1", "PARLEY_PUSH_TIMEOUT": "10"}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test with both ways of a local server to push, or as the server at --url does."""
    if "push" in metafunc.fixturenames:
        given = metafunc.config.getoption("--url")
        metafunc.parametrize("push", PUSHES if given is None else ["as deployed"], scope="session")


@pytest.fixture(scope="session")
def wire_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The base URL of a server that pushes through its own management API."""
    store = request.getfixturevalue("own_store").url
    with gateway({**PATIENT, **BY_WIRE, "REDIS_URL": store, "PARLEY_AUTH": "required"}, WORKERS) as url:
        yield url


@pytest.fixture(scope="session")
def place(request: pytest.FixtureRequest, pytestconfig: pytest.Config, push: str) -> Target:
    """The server that is tested."""
    if given := request.getfixturevalue("given_url"):
        return Target(pytestconfig.getoption("--target") or guessed_kind(given), given)
    return Target("gateway", request.getfixturevalue("wire_url" if push == "by wire" else "closed_url"))


@pytest.fixture(scope="session")
def crowd(place: Target) -> Iterator[People]:
    """People with accounts there."""
    client = Api(place.url)
    yield People(lambda body: client.call("POST", "/v1/register", json=body))
    client.close()


@pytest.fixture
def net(place: Target, crowd: People) -> Iterator[Net]:
    """People and their devices."""
    if place.differs("sockets-are-missing"):
        pytest.skip("this target has no sockets")
    net = Net(place, crowd)
    yield net
    net.close()
