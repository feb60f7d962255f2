"""The servers the suite runs against: the one that --url names, or an open and a closed one started here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.local.options import CHALICE, DIRECT
from tests.deployed.client import Api, client_of, people_of
from tests.deployed.options import trusts_names
from tests.deployed.people import People
from tests.deployed.rpc import ProcessLambda, Rpc, aws_lambda, emulated_lambda
from tests.deployed.target import Target, guessed_kind
from tests.servers.engines import ValkeyEngine
from tests.servers.gateway import gateway

NAMES, TOKENS = "names", "tokens"
WORKERS = ("--workers", "2")
PATIENT = {
    "PARLEY_RATE_LIMITS": "read=9999999,write=9999999,search=9999999,auth=9999999,frame=9999999",
    "PARLEY_ARGON2": "m=1024,t=1,p=1",
}
"""Limits that are never reached, and cheap password hashes, for tests of something else."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on servers that call the application directly, and through Chalice, which is long.

    A test of `api` runs with names on an open server, which is long too, and with tokens on closed ones.
    """
    url: str | None = metafunc.config.getoption("--url")
    if "way" in metafunc.fixturenames:
        metafunc.parametrize(("dispatch", "way"), _ways(url), scope="session", indirect=["dispatch"])
    elif "dispatch" in metafunc.fixturenames:
        metafunc.parametrize("dispatch", _dispatches(url), scope="session", indirect=True)


def _ways(url: str | None) -> list[Any]:
    if url is not None:
        return [("given", NAMES if trusts_names(url.rstrip("/")) else TOKENS)]
    return [
        pytest.param(DIRECT, NAMES, marks=pytest.mark.long),
        (DIRECT, TOKENS),
        pytest.param(CHALICE, TOKENS, marks=pytest.mark.long),
    ]


def _dispatches(url: str | None) -> list[Any]:
    return ["given"] if url is not None else [DIRECT, pytest.param(CHALICE, marks=pytest.mark.long)]


@pytest.fixture(scope="session")
def dispatch(request: pytest.FixtureRequest) -> str:
    """How the servers started here call the application: DIRECT or CHALICE of infra.local.options."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def given_url(pytestconfig: pytest.Config) -> str | None:
    """The URL of --url."""
    url: str | None = pytestconfig.getoption("--url")
    return url and url.rstrip("/")


@pytest.fixture(scope="session")
def own_store() -> Iterator[ValkeyEngine]:
    """A store for the servers started here."""
    with ValkeyEngine() as engine:
        yield engine


@pytest.fixture(scope="session")
def open_url(request: pytest.FixtureRequest, given_url: str | None, dispatch: str) -> Iterator[str]:
    """The base URL of a server with PARLEY_AUTH=open."""
    if given_url is None:
        store = request.getfixturevalue("own_store").url
        with gateway({**PATIENT, "REDIS_URL": store, "DISPATCH": dispatch}, WORKERS) as url:
            yield url
        return
    if not trusts_names(given_url):
        pytest.skip("the server at --url is closed (PARLEY_AUTH=required): it takes nobody's word for a name")
    yield given_url


@pytest.fixture(scope="session")
def closed_url(request: pytest.FixtureRequest, given_url: str | None, dispatch: str) -> Iterator[str]:
    """The base URL of a server with PARLEY_AUTH=required."""
    if given_url is None:
        store = request.getfixturevalue("own_store").url
        env = {**PATIENT, "REDIS_URL": store, "PARLEY_AUTH": "required", "DISPATCH": dispatch}
        with gateway(env, WORKERS) as url:
            yield url
        return
    if trusts_names(given_url):
        pytest.skip("the server at --url is open (PARLEY_AUTH=open)")
    yield given_url


@pytest.fixture(scope="session")
def target(
    request: pytest.FixtureRequest, pytestconfig: pytest.Config, given_url: str | None, dispatch: str
) -> Target:
    """The tested server: the closed one, where both are started here."""
    if given_url is not None:
        return Target(pytestconfig.getoption("--target") or guessed_kind(given_url), given_url)
    return Target("gateway", request.getfixturevalue("closed_url"), through_chalice=dispatch == CHALICE)


@pytest.fixture(scope="session")
def people(target: Target) -> Iterator[People]:
    """Users with accounts."""
    client = Api(target.url)
    yield people_of(client)
    client.close()


@pytest.fixture
def anyone(target: Target) -> Iterator[Api]:
    """A client without a name, for answers that open and closed servers share."""
    yield from client_of(target.url)


@pytest.fixture
def named(open_url: str) -> Iterator[Api]:
    """A client of an open server, whose callers say their names."""
    yield from client_of(open_url)


@pytest.fixture
def registered(target: Target, people: People) -> Iterator[Api]:
    """A client whose callers have accounts and tokens, on an open server too."""
    yield from client_of(target.url, people)


@pytest.fixture
def closed(closed_url: str) -> Iterator[Api]:
    """A client of a closed server."""
    yield from client_of(closed_url)


@pytest.fixture
def api(request: pytest.FixtureRequest, dispatch: str, way: str) -> Api:
    """A client whose callers are known by name on an open server, and by token on a closed one."""
    client: Api = request.getfixturevalue("named" if way == NAMES else "registered")
    return client


@pytest.fixture(scope="session")
def twelve(request: pytest.FixtureRequest, dispatch: str, way: str) -> str:
    """A chat of twelve messages, 0 to B."""
    url = request.getfixturevalue("open_url" if way == NAMES else "closed_url")
    api = Api(url, None if way == NAMES else request.getfixturevalue("people"))
    chat, alice, _ = api.new_pair()
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
        with ProcessLambda(request.getfixturevalue("own_store").url) as process:
            yield Rpc(process, "rpc")
        return
    function = pytestconfig.getoption("--rpc-function")
    if function is None:
        pytest.skip("--rpc-function does not say which function to invoke")
    yield Rpc(emulated_lambda(target.url) if target.is_emulated else aws_lambda(), function)
