"""The finished templates, and the LocalStack that stacks are made on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from infra.local.shutdown import Shutdown
from infra.localstack import server
from tests.aws.packaging import Template, package, parley


@dataclass(frozen=True)
class Endpoint:
    """A LocalStack that is running; endpoint: its URL."""

    endpoint: str


@pytest.fixture(scope="session")
def localstack() -> Iterator[Endpoint | server.LocalStack]:
    """The LocalStack that PARLEY_LOCALSTACK_ENDPOINT names, or one started here."""
    if given := os.environ.get("PARLEY_LOCALSTACK_ENDPOINT"):
        yield Endpoint(given)
        return
    with server.running(0, Shutdown(), {}) as started:
        yield started


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template of stage prod, as it is deployed."""
    return package(parley(tmp_path_factory.mktemp("prod")), "prod")


@pytest.fixture(scope="session", params=["prod", "localstack"])
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template of each stage, as it is deployed."""
    return package(parley(tmp_path_factory.mktemp(request.param)), request.param)
