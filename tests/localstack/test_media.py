"""The media bucket on LocalStack: changes of its objects reach the function through a queue."""

from __future__ import annotations

import json
from typing import Any

from tests.servers.localstack import LocalStackServer
from tests.servers.waiting import eventually

KEY = "pictures/red flower é.jpg"


def lines(server: LocalStackServer) -> list[dict[str, Any]]:
    """Return the functions' log lines of media."""
    logged = (line[line.find("{") :] for line in server.functions_log.read_text().splitlines() if "{" in line)
    found = [json.loads(line) for line in logged if '"event":"media_' in line]
    return [{name: line.get(name) for name in ("event", "key", "bytes")} for line in found]


def test_what_is_stored_and_removed_is_noted(server: LocalStackServer) -> None:
    """A stored and a removed object are a line each of the function, with the decoded key."""
    s3, bucket = server.client("s3"), server.resource("MediaBucket")
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"12345")
    assert eventually(lambda: {"event": "media_stored", "key": KEY, "bytes": 5} in lines(server))
    s3.delete_object(Bucket=bucket, Key=KEY)
    assert eventually(lambda: {"event": "media_removed", "key": KEY, "bytes": None} in lines(server))


def test_a_message_that_is_no_notification_is_dropped(server: LocalStackServer) -> None:
    """An invalid message is an error in the log, and the queue is empty afterwards."""
    sqs, url = server.client("sqs"), server.resource("MediaEvents")
    sqs.send_message(QueueUrl=url, MessageBody="no notification")
    assert eventually(lambda: "media_malformed" in {line["event"] for line in lines(server)})
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]

    def counts() -> set[str]:
        return set(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values())

    assert eventually(lambda: counts() == {"0"})
