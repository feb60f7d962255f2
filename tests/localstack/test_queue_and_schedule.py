"""Work on LocalStack: the queue delivers it to a function, and a schedule finds lost work."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import redis

from chalicelib.config import Settings
from chalicelib.queues import JobQueue
from chalicelib.store import keys
from chalicelib.store.redis.client import connect
from tests.servers.localstack import LocalStackServer
from tests.servers.waiting import eventually

ITEM = "index:nobody"
OWED = keys.pending("nobody")
LONG_AGO = "1000000"


def store(server: LocalStackServer) -> redis.Redis:
    """Return a client of the store that the functions use."""
    return redis.Redis.from_url(variables(server, "Worker")["REDIS_URL"])


def variables(server: LocalStackServer, name: str) -> dict[str, str]:
    """Return the environment of a function."""
    settings = server.client("lambda").get_function_configuration(FunctionName=server.resource(name))
    found: dict[str, str] = settings["Environment"]["Variables"]
    return found


def failed_messages(sqs: Any, url: str) -> int:
    """Return the number of messages in a queue's dead-letter queue."""
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
    name = json.loads(attributes["RedrivePolicy"])["deadLetterTargetArn"].rpartition(":")[2]
    dead = sqs.get_queue_url(QueueName=name)["QueueUrl"]
    count = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["ApproximateNumberOfMessages"])
    return int(count["Attributes"]["ApproximateNumberOfMessages"])


def test_what_is_put_into_the_queue_is_done(
    server: LocalStackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The function does a queued job of Parley's, which is then no longer pending."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.endpoint)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    settings = Settings(work_queue=variables(server, "APIHandler")["PARLEY_WORK_QUEUE"])
    with store(server) as client:
        client.hset(OWED, ITEM, str(int(time.time() * 1_000_000)))
        JobQueue(settings, connect(settings)).put([ITEM])
        assert eventually(lambda: not client.hexists(OWED, ITEM))
    assert eventually(lambda: f'"item":"{ITEM}"' in server.functions_log.read_text())


def test_a_message_that_is_no_job_is_dropped(server: LocalStackServer) -> None:
    """An invalid job is logged as an error, and is not in the dead-letter queue."""
    sqs, url = server.client("sqs"), variables(server, "Worker")["PARLEY_WORK_QUEUE"]
    sqs.send_message(QueueUrl=url, MessageBody="no job")
    assert eventually(lambda: '"event":"work_malformed"' in server.functions_log.read_text())
    assert failed_messages(sqs, url) == 0


def test_the_schedules_function_finds_what_was_lost(server: LocalStackServer) -> None:
    """Called as the schedule does, the sweep does old pending work, and returns its amount."""
    event = json.dumps({"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}})

    def sweep_does_it() -> bool:
        """Return whether this call did the work: the stack's own schedule, once a minute, may come first."""
        client.hset(OWED, ITEM, LONG_AGO)
        answer = server.client("lambda").invoke(FunctionName=server.resource("Sweep"), Payload=event)
        return bool(json.load(answer["Payload"])["repeated"] >= 1)

    with store(server) as client:
        assert eventually(sweep_does_it)
        assert eventually(lambda: not client.hexists(OWED, ITEM))


def test_every_function_knows_the_queue_and_the_schedule_is_on(server: LocalStackServer) -> None:
    """Functions have the URL of the one queue, and the rule calls the sweep each minute."""
    urls = {variables(server, name)["PARLEY_WORK_QUEUE"] for name in ("APIHandler", "Worker", "Sweep")}
    assert len(urls) == 1
    rules = server.client("events").list_rules()["Rules"]
    (rule,) = [rule for rule in rules if "SweepSchedule" in rule["Name"]]
    assert (rule["State"], rule["ScheduleExpression"]) == ("ENABLED", "rate(1 minute)")
