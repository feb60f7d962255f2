"""The functions behind the queue and the schedule: they run jobs, and repeat pending work."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import Any

import msgspec

from chalicelib import services
from chalicelib.errors import InternalError, ParleyError
from chalicelib.logs import LOGGER, cause_of
from chalicelib.queues import Job
from chalicelib.schemas.aws_events import Batch, Message


def handle(event: Any) -> dict[str, Any]:
    """Run the jobs of an SQS event, and return the messages of failed jobs, which SQS delivers again.

    A malformed message is logged as an error and dropped, because it would fail each time.
    """
    messages = msgspec.convert(event, Batch).records
    failed = [message.message_id for message in messages if not _done(message)]
    return {"batchItemFailures": [{"itemIdentifier": failure} for failure in failed]}


def sweep(event: Any) -> dict[str, int]:
    """Delete messages whose time is over, send scheduled ones, repeat pending work, end what is over.

    event: is ignored. A failure of one of them is raised once the others have run.
    """
    start, current = time.perf_counter(), services.current()
    done = _counted(
        deleted=current.expiry_sweep.sweep,
        trimmed=current.retention_sweep.sweep,
        scheduled=current.scheduled_sender.sweep,
        delivered=current.outbox_sweep.sweep,
        ended=current.realtime.leases.sweep,
        repeated=current.jobs.sweep,
        expired=current.sessions.sweep,
    )
    LOGGER.info({"event": "sweep", **done, "ms": _milliseconds(start)})
    return done


def _counted(**sweeps: Callable[[], int]) -> dict[str, int]:
    """Run sweeps, and return what each counted; raise the last failure once all are done."""
    counts: dict[str, int] = {}

    def count(name: str, run: Callable[[], int]) -> None:
        counts[name] = run()

    with contextlib.ExitStack() as stack:
        for name, run in reversed(sweeps.items()):
            stack.callback(count, name, run)
    return counts


def _done(message: Message) -> bool:
    try:
        job = msgspec.json.decode(message.body, type=Job)
    except (msgspec.DecodeError, UnicodeError) as problem:
        LOGGER.error({"event": "work_malformed", "message_id": message.message_id, "reason": str(problem)})
        return True
    start = time.perf_counter()
    failure = _failure(job)
    line = {"event": "work", "message_id": message.message_id, **_named(job), "ms": _milliseconds(start)}
    if failure is None:
        LOGGER.info(line)
    elif isinstance(failure, ParleyError):
        LOGGER.warning({**line, "code": failure.code, **cause_of(failure)})
    else:
        LOGGER.error({**line, "code": InternalError.code}, exc_info=failure)
    return failure is None


def _failure(job: Job) -> Exception | None:
    try:
        if job.push is not None:
            services.current().message_push.run(job.push)
        elif job.rows is not None:
            services.current().row_push.run(job.rows)
        elif job.item is not None:
            services.current().jobs.run(job.item)
    except Exception as error:
        return error
    return None


def _named(job: Job) -> dict[str, Any]:
    if job.rows is not None:
        return {"rows": len(job.rows.rows)}
    if job.push is None:
        return {"item": job.item}
    return {"push": job.push.chat, "seq": job.push.seq, "connections": len(job.push.connections)}


def _milliseconds(start: float) -> float:
    return round((time.perf_counter() - start) * 1000, 2)
