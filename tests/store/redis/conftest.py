"""Both kinds of node: one that blocks, as in a Lambda function, and the one of a worker's loop."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.servers import command_tables
from tests.store.loop_nodes import nodes_on_loop


@pytest.fixture(autouse=True)
def unknown_tables() -> None:
    """Have each test's first client of a cluster read the table of commands, as a new process does."""
    command_tables.forget()


@pytest.fixture(params=["blocking", "on the loop"])
def each_kind_of_node(request: pytest.FixtureRequest) -> Iterator[str]:
    """Have every new Store use this kind of node."""
    if request.param == "blocking":
        yield request.param
    else:
        with nodes_on_loop():
            yield request.param
