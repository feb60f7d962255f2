"""The queue of jobs where there is no other: a list in the store."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.store import keys
from chalicelib.store.redis.client import Store
from chalicelib.store.redis.query import Query

MOST_JOBS = 100_000
PUSHED_AT_ONCE = 1000


class WorkList:
    """Jobs in the order they came. Its key:

    `{u000}:work`: LIST, no expiry, MOST_JOBS elements at the most. An element is a job as it was put.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def push(self, jobs: Sequence[str]) -> None:
        """Add jobs at the end; of more than MOST_JOBS the oldest go.

        Raises StoreUnavailable or StoreFull; after the first the jobs may be there.
        """
        key, length = keys.jobs(), 0
        for start in range(0, len(jobs), PUSHED_AT_ONCE):
            part = tuple(jobs[start : start + PUSHED_AT_ONCE])
            length = self._store.run(Query("RPUSH", (key,), part, repeatable=False))
        if length > MOST_JOBS:
            self._store.run(Query("LTRIM", (key,), (-MOST_JOBS, -1)))

    def pop(self, most: int) -> list[str]:
        """Take the oldest jobs, `most` at the most. Raises StoreUnavailable; some may be lost then."""
        query = Query("LPOP", (keys.jobs(),), (most,), read=_texts, repeatable=False)
        return self._store.run(query)


def _texts(reply: list[bytes] | None) -> list[str]:
    return [job.decode(errors="replace") for job in reply or ()]
