"""Servers for the tests of the laptop server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.local.edge import EchoServer, running_echo
from tests.servers.gateway import Gateway, running_gateway


@pytest.fixture(scope="package")
def echo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EchoServer]:
    """A server whose handler answers with its event."""
    with running_echo(tmp_path_factory.mktemp("echo")) as server:
        yield server


@pytest.fixture
def short_path() -> Iterator[Path]:
    """An empty folder whose path is short enough for sockets, which tmp_path need not be."""
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        yield Path(folder)


@pytest.fixture(scope="package")
def shared() -> Iterator[Gateway]:
    """A whole server for tests that leave it unchanged."""
    with running_gateway(args=["--workers", "2"]) as server:
        yield server


@pytest.fixture
def server() -> Iterator[Gateway]:
    """A whole server for one test."""
    with running_gateway(args=["--workers", "2"]) as server:
        yield server
