"""The list of jobs, on every kind of store."""

from __future__ import annotations

import json

import pytest

from chalicelib.config import Settings
from chalicelib.queues import JobQueue
from chalicelib.store.redis.client import Store
from chalicelib.store.work import job_list
from chalicelib.store.work.job_list import JobList


class Jobs:
    """The list under test, as a queue without SQS uses it."""

    def __init__(self, store: Store) -> None:
        self._store, self._queue = store, JobQueue(Settings(), store)

    def push(self, items: list[str]) -> None:
        """Put jobs for items."""
        self._queue.put(items)

    def pop(self, most: int) -> list[str]:
        """Take jobs, and return their items."""
        return [json.loads(job)["item"] for job in self._store.run(JobList().pop(most))]


@pytest.fixture
def jobs(store: Store) -> Jobs:
    """The list under test."""
    return Jobs(store)


def test_first_in_first_out(jobs: Jobs) -> None:
    """Jobs come out in the order they went in, each once, and an empty list gives none."""
    jobs.push(["a", "b"])
    jobs.push(["c"])

    assert jobs.pop(2) == ["a", "b"]
    assert jobs.pop(2) == ["c"]
    assert jobs.pop(2) == []


def test_no_job_is_no_work(jobs: Jobs) -> None:
    """Pushing no jobs does nothing."""
    jobs.push([])

    assert jobs.pop(1) == []


def test_many_jobs_at_once(jobs: Jobs) -> None:
    """More jobs than one store command takes are pushed in order."""
    many = [str(place) for place in range(2 * job_list.PUSHED_AT_ONCE + 1)]
    jobs.push(many)

    assert jobs.pop(len(many)) == many


def test_a_list_that_nobody_reads_is_bounded(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest jobs are dropped when there are too many: their work is still pending."""
    monkeypatch.setattr(job_list, "MAX_JOBS", 3)
    jobs.push(["a", "b"])
    jobs.push(["c", "d"])

    assert jobs.pop(10) == ["b", "c", "d"]


def test_a_queue_without_sqs_is_the_list(store: Store) -> None:
    """Without a queue setting, jobs go to the list."""
    JobQueue(Settings(), store).put(["posts:alice", "index:bob"])

    assert store.run(JobList().pop(10)) == ['{"item":"posts:alice"}', '{"item":"index:bob"}']
