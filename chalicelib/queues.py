"""The queue of jobs: SQS where there is one, else a list in the store."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from chalicelib.config import Settings
from chalicelib.errors import StoreFull, StoreUnavailable
from chalicelib.idle import LastUse
from chalicelib.logs import LOGGER
from chalicelib.store.redis.client import Store
from chalicelib.store.work import job_list
from chalicelib.store.work.job_list import PUSHED_AT_ONCE, JobList

BATCH = 10
"""Messages in one call of SQS. Source: SendMessageBatch in the Amazon SQS API Reference."""
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 1, 2, 2


_checks: list[Callable[[], bool]] = []


def install_jobs_check(check: Callable[[], bool] | None) -> None:
    """Install a check of whether a process beside the server does queued jobs; None: remove it."""
    _checks[:] = [] if check is None else [check]


def are_jobs_down() -> bool:
    """Return whether an installed check says that queued jobs are not done."""
    return not all(check() for check in _checks)


class PushJob(msgspec.Struct, frozen=True):
    """A message to push, by its chat and seq: the queue carries no text.

    connections: their ids, and whether they read protobuf. attempt: number of earlier attempts. changed:
    whether the message has changed, and is not new. reaction: emoji, handle and whether it was added, if that
    is the change.
    """

    chat: str
    seq: int
    connections: list[tuple[str, bool]]
    attempt: int = 0
    changed: bool | msgspec.UnsetType = msgspec.UNSET
    reaction: tuple[str, str, bool] | msgspec.UnsetType = msgspec.UNSET


class RowsJob(msgspec.Struct, frozen=True):
    """Rows of chats to push; rows: chats, each with the handle of a user who sees its row."""

    rows: list[tuple[str, str]]


class Job(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message of the queue, one of the three; item: an item of pending work, such as `posts:alice`."""

    item: str | None = None
    push: PushJob | None = None
    rows: RowsJob | None = None

    def __post_init__(self) -> None:
        if sum(one is not None for one in (self.item, self.push, self.rows)) != 1:
            raise ValueError("Expected one of `item`, `push` and `rows`")


class NotQueued(NamedTuple):
    """Jobs that did not reach the queue, and why."""

    jobs: int
    reason: str


class JobQueue:
    """Has jobs done soon.

    A job that is lost here is still pending in the store, where the sweep finds it.
    settings.work_queue: the URL of an SQS queue; None: the jobs go into the store.
    """

    def __init__(self, settings: Settings, store: Store) -> None:
        self._url = settings.work_queue
        self._store = store
        self._list = JobList()
        self._used = LastUse()

    def put(self, items: Sequence[str]) -> None:
        """Put a job for each item; a failure is logged, and nothing else."""
        self._put([Job(item) for item in items])

    def put_pushes(self, pushes: Sequence[PushJob], delay: int = 0) -> bool:
        """Put a job for each push, and return whether all are in the queue; a failure is logged.

        delay: seconds until they are handed out; SQS keeps to it, and the list in the store does not.
        """
        return self._put([Job(push=push) for push in pushes], delay)

    def put_rows(self, rows: Sequence[RowsJob]) -> None:
        """Put a job for each part of rows; a failure is logged, and nothing else."""
        self._put([Job(rows=part) for part in rows])

    def _put(self, jobs: Sequence[Job], delay: int = 0) -> bool:
        if not jobs:
            return True
        texts = [msgspec.json.encode(job).decode() for job in jobs]
        failure = self._push(texts) if self._url is None else self._send(texts, delay)
        if failure is not None:
            LOGGER.error({"event": "jobs_not_queued", **failure._asdict()})
        return failure is None

    def _push(self, jobs: list[str]) -> NotQueued | None:
        length = 0
        try:
            for start in range(0, len(jobs), PUSHED_AT_ONCE):
                length = self._store.run(self._list.push(jobs[start : start + PUSHED_AT_ONCE]))
            if length > job_list.MAX_JOBS:
                self._store.run(self._list.trim())
        except (StoreUnavailable, StoreFull) as error:
            return NotQueued(len(jobs), str(error.__cause__ or error))
        return None

    def _send(self, jobs: list[str], delay: int) -> NotQueued | None:
        try:
            from botocore.exceptions import BotoCoreError, ClientError

            client = self._awake()
        except ImportError:
            return NotQueued(len(jobs), "PARLEY_WORK_QUEUE needs boto3: pip install boto3")
        sent, reason = 0, ""
        try:
            for start in range(0, len(jobs), BATCH):
                entries = _entries(jobs[start : start + BATCH], delay)
                answer = client.send_message_batch(QueueUrl=self._url, Entries=entries)
                sent += len(answer.get("Successful", ()))
                reason = next((refused["Code"] for refused in answer.get("Failed", ())), reason)
        except (BotoCoreError, ClientError) as error:
            reason = str(error)
        return NotQueued(len(jobs) - sent, f"PARLEY_WORK_QUEUE: {reason}") if sent < len(jobs) else None

    def _awake(self) -> Any:
        """Return the client, without connections that were unused for long."""
        client = self._client
        if self._used.renew():
            client.close()  # the client opens new ones
        return client

    @functools.cached_property
    def _client(self) -> Any:
        import boto3
        from botocore.config import Config

        patience = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": ATTEMPTS},
        )
        return boto3.client("sqs", config=patience)


def _entries(jobs: Sequence[str], delay: int) -> list[dict[str, Any]]:
    return [{"Id": str(place), "MessageBody": job, "DelaySeconds": delay} for place, job in enumerate(jobs)]
