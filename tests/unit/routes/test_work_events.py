"""The functions of the queue and the schedule, and their events."""

from __future__ import annotations

import json
import logging
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from chalicelib import services
from chalicelib.errors import ParleyError, StoreUnavailable
from chalicelib.logs import LOGGER
from chalicelib.routes import work
from chalicelib.routes.legacy import rpc


def _gone() -> ParleyError:
    error = StoreUnavailable()
    error.__cause__ = TimeoutError("Timeout reading from socket")
    return error


FAILURES: dict[str, Exception] = {"posts:store": _gone(), "posts:defect": RuntimeError("a defect")}


class Work:
    """Jobs, the outbox, leases and sessions; items fail as their handle says."""

    def __init__(self) -> None:
        self.jobs = self.scheduled_sender = self.outbox_sweep = self.expiry_sweep = self
        self.retention_sweep = self.realtime = self.leases = self.sessions = self
        self.done: list[str] = []

    def run(self, item: str) -> None:
        """Record an item, or fail."""
        if item in FAILURES:
            raise FAILURES[item]
        self.done.append(item)

    def sweep(self) -> int:
        """Return the number of repeated items, ended connections, or dropped sessions."""
        return 3


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The finished items."""
    fake = Work()
    monkeypatch.setattr(services, "current", lambda: fake)
    return fake.done


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """The log."""
    monkeypatch.setattr(LOGGER, "propagate", True)
    caplog.set_level(logging.INFO, logger=LOGGER.name)
    return caplog


def event(*bodies: str) -> dict[str, Any]:
    """Return an SQS event; the messages' ids are their indexes."""
    return {
        "Records": [
            {
                "messageId": str(index),
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
                "body": body,
                "attributes": {"ApproximateReceiveCount": "1", "SentTimestamp": "1545082649183"},
                "messageAttributes": {},
                "md5OfBody": "098f6bcd4621d373cade4e832627b4f6",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:work",
                "awsRegion": "us-east-2",
            }
            for index, body in enumerate(bodies)
        ]
    }


def job(item: str) -> str:
    """Return a message's body."""
    return json.dumps({"item": item})


def test_each_job_is_done(done: list[str], lines: pytest.LogCaptureFixture) -> None:
    """Every message is a job, and a line of the log."""
    assert work.handle(event(job("posts:alice"), job("index:bob"))) == {"batchItemFailures": []}
    assert done == ["posts:alice", "index:bob"]
    logged = [record.msg for record in lines.records if isinstance(record.msg, dict)]
    assert [(line["event"], line["item"]) for line in logged] == [
        ("work", "posts:alice"),
        ("work", "index:bob"),
    ]


@pytest.mark.parametrize(("item", "level"), [("posts:store", "WARNING"), ("posts:defect", "ERROR")])
def test_what_failed_is_named(
    done: list[str], lines: pytest.LogCaptureFixture, item: str, level: str
) -> None:
    """A failed job is returned to the queue, and delays no other; a defect is logged as one."""
    answer = work.handle(event(job("posts:alice"), job(item), job("index:bob")))

    assert answer == {"batchItemFailures": [{"itemIdentifier": "1"}]}
    assert done == ["posts:alice", "index:bob"]
    assert [record.levelname for record in lines.records] == ["INFO", level, "INFO"]
    assert (lines.records[1].exc_info is not None) == (level == "ERROR")
    assert isinstance(lines.records[1].msg, dict)
    cause = "TimeoutError: Timeout reading from socket" if level == "WARNING" else None
    assert lines.records[1].msg.get("cause") == cause


def test_a_call_by_rpc_names_why_it_was_refused(
    monkeypatch: pytest.MonkeyPatch, lines: pytest.LogCaptureFixture
) -> None:
    """The line of a refused call has the cause that its answer hides."""

    class Gone:
        @property
        def authenticator(self) -> Gone:
            raise _gone()

    monkeypatch.setattr(services, "current", Gone)
    answer = rpc.call({"method": "pull", "params": {"chat": "a:b", "cursor": 0}})
    assert (answer["code"], "cause" in answer) == (503, False)
    assert lines.records[-1].msg == {
        "event": "rpc",
        "code": 503,
        "cause": "TimeoutError: Timeout reading from socket",
    }


@pytest.mark.parametrize("body", ["", "posts:alice", "[]", "{}", '{"item": 7}', '{"item": "\\ud800"}'])
def test_what_is_no_job_is_dropped(done: list[str], lines: pytest.LogCaptureFixture, body: str) -> None:
    """An invalid message is an error in the log without its text, and not repeated."""
    assert work.handle(event(body, job("index:bob"))) == {"batchItemFailures": []}
    assert done == ["index:bob"]
    assert lines.records[0].levelname == "ERROR"
    assert isinstance(lines.records[0].msg, dict)
    assert (lines.records[0].msg["event"], lines.records[0].msg["message_id"]) == ("work_malformed", "0")


def test_what_is_no_event_of_a_queue_is_refused(done: list[str]) -> None:
    """A manual call with another event gets an error that says what is missing."""
    with pytest.raises(msgspec.ValidationError, match="Records"):
        work.handle({"records": []})


@pytest.mark.parametrize(
    "failing", [{"delivered"}, {"ended", "repeated"}, {"delivered", "ended", "repeated", "expired"}]
)
def test_one_sweep_does_not_stop_the_others(failing: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever sweeps fail, all run, and a failure is raised."""
    swept = []

    def sweeping(name: str) -> SimpleNamespace:
        def sweep() -> int:
            swept.append(name)
            if name in failing:
                raise StoreUnavailable
            return 1

        return SimpleNamespace(sweep=sweep)

    realtime = SimpleNamespace(leases=sweeping("ended"))
    others = {
        "expiry_sweep": sweeping("deleted"),
        "retention_sweep": sweeping("trimmed"),
        "scheduled_sender": sweeping("scheduled"),
        "outbox_sweep": sweeping("delivered"),
        "jobs": sweeping("repeated"),
        "sessions": sweeping("expired"),
    }
    monkeypatch.setattr(services, "current", lambda: SimpleNamespace(realtime=realtime, **others))
    with pytest.raises(StoreUnavailable):
        work.sweep({})
    assert swept == ["deleted", "trimmed", "scheduled", "delivered", "ended", "repeated", "expired"]


def test_sweep_reports_how_much_it_repeated(done: list[str], lines: pytest.LogCaptureFixture) -> None:
    """The schedule's event is answered with the count, which is also logged."""
    counts = dict.fromkeys(
        ("deleted", "trimmed", "scheduled", "repeated", "delivered", "ended", "expired"), 3
    )
    assert work.sweep({"detail-type": "Scheduled Event"}) == counts
    assert isinstance(lines.records[0].msg, dict)
    logged = {name: lines.records[0].msg[name] for name in ("event", *counts)}
    assert logged == {"event": "sweep", **counts}
