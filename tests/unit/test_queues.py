"""Jobs enter an SQS queue, ten in a call, and a failing queue fails no caller."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib import idle, queues
from chalicelib.config import Settings
from chalicelib.idle import IDLE_SECONDS
from chalicelib.logs import LOGGER
from chalicelib.queues import JobQueue, PushJob
from chalicelib.store.redis.client import connect
from tests.clock import Clock
from tests.servers.faults import FreezingProxy
from tests.servers.ports import ReservedPort

NOWHERE = "https://sqs.us-east-1.amazonaws.com/123456789012/nowhere"


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an SQS in this process."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        yield boto3.client("sqs")


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """The log, however this process's logs are configured."""
    monkeypatch.setattr(LOGGER, "propagate", True)
    caplog.set_level(logging.INFO, logger=LOGGER.name)
    return caplog


@pytest.fixture
def nobody() -> Iterator[int]:
    """An unused port."""
    with ReservedPort() as port:
        yield port


def queue_at(url: str | None, redis_url: str = "redis://127.0.0.1:1") -> JobQueue:
    """Return the queue of settings that name one, or a store."""
    settings = Settings(work_queue=url, redis_url=redis_url, redis_timeout=0.1)
    return JobQueue(settings, connect(settings))


def jobs_in(sqs: Any, url: str) -> list[Any]:
    """Take all jobs of a queue."""
    jobs = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        jobs += [json.loads(message["Body"]) for message in messages]
    return jobs


def push(seq: int) -> PushJob:
    """Return a push to 250 connections with ids as API Gateway's."""
    return PushJob(
        "ann:bob", seq, [(f"L0SM9cOFvHcCIhw{number:03d}=", number % 2 == 0) for number in range(250)]
    )


def test_pushes_are_messages_too(sqs: Any) -> None:
    """Any number of pushes is queued, each as a job with the text's position and without the text."""
    url = sqs.create_queue(QueueName="work")["QueueUrl"]

    assert queue_at(url).put_pushes([push(seq) for seq in range(1, 13)])
    jobs = jobs_in(sqs, url)
    assert sorted(job["push"]["seq"] for job in jobs) == list(range(1, 13))
    assert all(job.keys() == {"push"} for job in jobs)
    assert all(job["push"].keys() == {"chat", "seq", "connections", "attempt"} for job in jobs)


def test_a_push_that_waits(sqs: Any) -> None:
    """A delayed push is not received before its delay is over."""
    url = sqs.create_queue(QueueName="work")["QueueUrl"]

    assert queue_at(url).put_pushes([push(1)], delay=900)
    assert jobs_in(sqs, url) == []
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessagesDelayed"])
    assert attributes["Attributes"] == {"ApproximateNumberOfMessagesDelayed": "1"}


@pytest.mark.parametrize("url", [NOWHERE, None])
def test_pushes_that_are_not_put(
    sqs: Any, lines: pytest.LogCaptureFixture, nobody: int, url: str | None
) -> None:
    """The caller learns that a push was not queued; an empty list counts as queued."""
    queue = queue_at(url, f"redis://127.0.0.1:{nobody}")

    assert queue.put_pushes([])
    assert not queue.put_pushes([push(1), push(2)])
    (record,) = lines.records
    assert isinstance(record.msg, dict)
    assert (record.msg["event"], record.msg["jobs"]) == ("jobs_not_queued", 2)


@pytest.mark.parametrize("number", [0, 1, 10, 23])
def test_each_item_is_a_message(sqs: Any, number: int) -> None:
    """Any number of items is queued, each as a job of its own."""
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    items = [f"posts:user{item}" for item in range(number)]

    queue_at(url).put(items)

    assert sorted(job["item"] for job in jobs_in(sqs, url)) == sorted(items)


def test_a_queue_that_is_not_there(sqs: Any, lines: pytest.LogCaptureFixture) -> None:
    """The caller gets no error; one line has the number of lost jobs and the setting to check."""
    queue_at(NOWHERE).put(["posts:alice", "posts:bob"])

    (record,) = lines.records
    assert record.levelname == "ERROR"
    assert isinstance(record.msg, dict)
    assert (record.msg["event"], record.msg["jobs"]) == ("jobs_not_queued", 2)
    assert record.msg["reason"].startswith("PARLEY_WORK_QUEUE: ")


def test_a_server_that_is_not_there(
    sqs: Any, lines: pytest.LogCaptureFixture, nobody: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unreachable queue has the same outcome."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{nobody}")
    queue_at(NOWHERE).put(["posts:alice"])

    assert [record.msg["jobs"] for record in lines.records if isinstance(record.msg, dict)] == [1]


def test_a_store_that_is_not_there(lines: pytest.LogCaptureFixture, nobody: int) -> None:
    """Without SQS the store keeps the jobs, and its failure fails no caller either."""
    queue_at(None, f"redis://127.0.0.1:{nobody}").put(["posts:alice"])

    (record,) = lines.records
    assert isinstance(record.msg, dict)
    assert (record.msg["event"], record.msg["jobs"]) == ("jobs_not_queued", 1)


def test_one_client_a_queue(sqs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client, which is slow to make, is made once."""
    url = sqs.create_queue(QueueName="work")["QueueUrl"]
    made: list[str] = []
    make = boto3.client

    def noted(name: str, **options: Any) -> Any:
        made.append(name)
        return make(name, **options)

    monkeypatch.setattr(boto3, "client", noted)
    queue = queue_at(url)

    queue.put(["posts:alice"])
    queue.put(["posts:bob"])

    assert made == ["sqs"]


class KeptAlive(BaseHTTPRequestHandler):
    """Takes every batch of an SQS client, and keeps the connection open."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Take all messages of a batch."""
        batch = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        taken = [{"Id": entry["Id"], "MessageId": "1", "MD5OfMessageBody": ""} for entry in batch["Entries"]]
        body = json.dumps({"Successful": taken}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def kept_alive() -> Iterator[int]:
    """The port of an SQS that keeps connections open."""
    with ThreadingHTTPServer(("127.0.0.1", 0), KeptAlive) as server:
        server.daemon_threads, server.block_on_close = True, False
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("resets", [False, True], ids=["swallowed", "reset"])
def test_a_job_after_a_freeze(kept_alive: int, monkeypatch: pytest.MonkeyPatch, resets: bool) -> None:
    """The first job after a freeze goes over a new connection; jobs before it share one."""
    clock = Clock()
    monkeypatch.setattr(idle, "time", clock)
    monkeypatch.setattr(queues, "ATTEMPTS", 1)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with FreezingProxy(kept_alive, resets=resets) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", f"http://127.0.0.1:{proxy.port}")
        queue = queue_at(NOWHERE)
        assert queue.put_pushes([push(1)])
        assert queue.put_pushes([push(2)])
        assert proxy.connections == 1

        proxy.freeze()
        clock.now += IDLE_SECONDS + 0.1
        assert queue.put_pushes([push(3)])
        assert proxy.connections == 2
