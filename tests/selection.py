"""What `make test` leaves to `make test-all`: the tests that carry the marker `long`.

A test that takes long by itself is marked by hand. Here the marker is added to what runs on a further
kind of store. So `make test` runs each test of the store on Valkey, and the modules marked `cluster_smoke`
on a cluster as well.
"""

from __future__ import annotations

from collections.abc import Iterable

import pytest

FURTHER_ENGINES = frozenset(("redis7", "cluster", "tls_cluster", "timeless_cluster"))
"""Fixtures of tests/conftest.py, as parameters name them."""


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """Mark tests that have a further kind of store as a parameter."""
    for item in items:
        engines = FURTHER_ENGINES & _parameters_of(item)
        if engines and not (engines == {"cluster"} and item.get_closest_marker("cluster_smoke")):
            item.add_marker(pytest.mark.long)


def _parameters_of(item: pytest.Item) -> set[str]:
    callspec = getattr(item, "callspec", None)
    return {value for value in callspec.params.values() if isinstance(value, str)} if callspec else set()
