"""The queue of jobs where there is no other: a list in the store."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.store import keys
from chalicelib.store.redis.query import Query

MAX_JOBS = 100_000
PUSHED_AT_ONCE = 1000


class JobList:
    """Jobs in the order they came. Its key:

    `{u000}:work`: LIST, no expiry, at most MAX_JOBS elements. An element is a job as it was put.
    """

    def push(self, jobs: Sequence[str]) -> Query[int]:
        """Return the query that adds jobs at the end, PUSHED_AT_ONCE at most; its result is the length then.

        Of a call that raises StoreUnavailable the jobs may be there.
        """
        return Query("RPUSH", (keys.jobs(),), tuple(jobs), repeatable=False)

    def trim(self) -> Query[object]:
        """Return the query that drops the oldest jobs of more than MAX_JOBS."""
        return Query("LTRIM", (keys.jobs(),), (-MAX_JOBS, -1))

    def pop(self, most: int) -> Query[list[str]]:
        """Return the query that takes the oldest jobs, `most` at most.

        Of a call that raises StoreUnavailable some jobs may be lost.
        """
        return Query("LPOP", (keys.jobs(),), (most,), read=_texts, repeatable=False)


def _texts(reply: list[bytes] | None) -> list[str]:
    return [job.decode(errors="replace") for job in reply or ()]
