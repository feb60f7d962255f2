"""The server the suite runs against: the one that --url names, or one started here."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.deployed.client import Api, new_pair
from tests.deployed.rpc import ProcessLambda, Rpc, aws_lambda, localstack_lambda
from tests.deployed.target import Target, guessed_kind
from tests.servers.engines import ValkeyEngine
from tests.servers.gateway import gateway


@pytest.fixture(scope="session")
def given_url(pytestconfig: pytest.Config) -> str | None:
    """What --url names."""
    url: str | None = pytestconfig.getoption("--url")
    return url and url.rstrip("/")


@pytest.fixture(scope="session")
def own_store() -> Iterator[str]:
    """The URL of a store for the servers that are started here."""
    with ValkeyEngine() as engine:
        yield engine.url


@pytest.fixture(scope="session")
def target(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, given_url: str | None
) -> Iterator[Target]:
    """The server that is tested."""
    if given_url is not None:
        yield Target(pytestconfig.getoption("--target") or guessed_kind(given_url), given_url)
        return
    with gateway(env={"REDIS_URL": request.getfixturevalue("own_store")}) as url:
        yield Target("gateway", url)


@pytest.fixture
def anyone(target: Target) -> Iterator[Api]:
    """A client that says no name: for what an open server and a closed one answer alike."""
    yield from client_of(target.url)


@pytest.fixture(scope="session")
def is_open(target: Target) -> bool:
    """Whether the server trusts a request's names (PARLEY_AUTH=open)."""
    probe = Api(target.url)
    status = probe.call("POST", "/api/pull", json={"chat": "alice:bob"}).status_code
    probe.close()
    assert status in (200, 401)
    return status == 200


@pytest.fixture
def api(target: Target, is_open: bool) -> Iterator[Api]:
    """A client of the server, which has to be open."""
    if not is_open:
        pytest.skip("the server is closed (PARLEY_AUTH=required): it takes nobody's word for a name")
    yield from client_of(target.url)


@pytest.fixture(scope="session")
def closed_url(request: pytest.FixtureRequest, given_url: str | None) -> Iterator[str]:
    """The base URL of a server with PARLEY_AUTH=required."""
    if given_url is None:
        settings = {"REDIS_URL": request.getfixturevalue("own_store"), "PARLEY_AUTH": "required"}
        with gateway(env=settings) as url:
            yield url
        return
    if request.getfixturevalue("is_open"):
        pytest.skip("the server at --url is open (PARLEY_AUTH=open)")
    yield given_url


@pytest.fixture
def closed(closed_url: str) -> Iterator[Api]:
    """A client of the closed server."""
    yield from client_of(closed_url)


@pytest.fixture(scope="session")
def twelve(target: Target) -> str:
    """A chat of twelve messages, 0 to B."""
    api = Api(target.url)
    chat, alice, _ = new_pair()
    for text in "0123456789AB":
        api.send(chat=chat, sender=alice, text=text)
    api.close()
    return chat


@pytest.fixture(scope="session")
def rpc(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, target: Target, given_url: str | None
) -> Iterator[Rpc]:
    """The rpc function of the server."""
    if given_url is None:
        with ProcessLambda(request.getfixturevalue("own_store")) as process:
            yield Rpc(process, "rpc")
        return
    function = pytestconfig.getoption("--rpc-function")
    if function is None:
        pytest.skip("--rpc-function does not say which function to invoke")
    yield Rpc(
        localstack_lambda(target.url) if target.kind.startswith("localstack") else aws_lambda(), function
    )


def client_of(url: str) -> Iterator[Api]:
    """Yield a client and close it."""
    client = Api(url)
    yield client
    client.close()
