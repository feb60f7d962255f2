"""Handles whose keys share a partition."""

from __future__ import annotations

import functools
import itertools

from chalicelib.store.partitions import user_partition


@functools.cache
def handles_of_one_partition(count: int) -> tuple[str, ...]:
    """Return handles of users whose keys share a partition, as many as asked for."""
    names = (f"user{number}" for number in itertools.count())
    return tuple(itertools.islice((name for name in names if user_partition(name) == "{u007}"), count))
