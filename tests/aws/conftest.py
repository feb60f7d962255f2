"""The finished templates, and the LocalStack that stacks are made on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from infra.aws.fragments import Template
from infra.local.shutdown import Shutdown
from infra.localstack import server
from tests.aws.packaging import package, parley


@pytest.fixture(scope="session")
def localstack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.LocalStack]:
    """A LocalStack with nothing on it."""
    with server.running(0, tmp_path_factory.mktemp("localstack"), Shutdown()) as started:
        yield started


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template of stage prod, as it is deployed."""
    return package(parley(tmp_path_factory.mktemp("prod")), "prod")


@pytest.fixture(scope="session", params=["prod", "localstack", "ministack"])
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The template of each stage, as it is deployed."""
    return package(parley(tmp_path_factory.mktemp(request.param)), request.param)
