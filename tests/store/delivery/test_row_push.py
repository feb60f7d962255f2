"""Rows of chats pushed to many connections, by jobs of the queue."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from chalicelib.config import Settings
from chalicelib.queues import Job, JobQueue, RowsJob
from chalicelib.services.delivery.frame_push import FramePush
from chalicelib.services.delivery.push import PushService
from chalicelib.services.delivery.row_push import JOB_ROWS, RowPush, SeenRow
from chalicelib.store.accounts.user_cards import UserCards
from chalicelib.store.chats.summary import Summaries
from chalicelib.store.realtime.user_connections import UserConnections
from chalicelib.store.redis.client import Store
from chalicelib.store.work.job_list import JobList
from tests.store.recording_pusher import LEASE, Wire, connect

USERS = [f"user{number:03}" for number in range(JOB_ROWS + 1)]


@pytest.fixture
def wire() -> Wire:
    """A gateway that a request pushes to two connections of."""
    return Wire(2)


@pytest.fixture
def rows(store: Store, wire: Wire) -> RowPush:
    """The push of rows."""
    push = PushService(FramePush(wire), lambda connection: None)
    queue = JobQueue(Settings(), store)
    return RowPush(store, UserConnections(LEASE), Summaries(), UserCards(), push, queue)


def got(wire: Wire) -> Mapping[str, list[str]]:
    """Return the chats whose rows each connection got."""
    return {connection: [frame["chat"] for frame in frames] for connection, frames in wire.frames.items()}


def jobs_of(store: Store) -> list[RowsJob]:
    """Take the jobs off the queue."""
    jobs = [msgspec.json.decode(job, type=Job) for job in store.run(JobList().pop(100))]
    return [job.rows for job in jobs if job.rows is not None]


def test_rows_for_many_connections_go_by_jobs(store: Store, rows: RowPush, wire: Wire) -> None:
    """More connections than a request pushes to get their rows from jobs, which hold no row."""
    for user in USERS:
        connect(store, user, f"{user}-1")
    rows.push(SeenRow(f"ann:{user}", user) for user in [*USERS, "zed"])

    jobs = jobs_of(store)
    assert (got(wire), [len(job.rows) for job in jobs]) == ({}, [JOB_ROWS, 1])
    for job in jobs:
        rows.run(job)
    assert got(wire) == {f"{user}-1": [f"ann:{user}"] for user in USERS}


def test_row_is_pushed_once_to_each_connection(store: Store, rows: RowPush, wire: Wire) -> None:
    """A row that is named twice comes once, on each of its user's connections."""
    for connection in ("ann-1", "ann-2"):
        connect(store, "ann", connection)
    rows.push([SeenRow("ann:bob", "ann"), SeenRow("ann:bob", "ann")])

    assert got(wire) == {"ann-1": ["ann:bob"], "ann-2": ["ann:bob"]}
    assert jobs_of(store) == []
