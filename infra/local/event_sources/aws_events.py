"""The events with which AWS calls a function: a queue's messages, a schedule, a bucket's objects."""

from __future__ import annotations

import hashlib
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import msgspec

from infra.local.event_sources.notified_versions import Version
from infra.local.events import ACCOUNT_ID

REGION = "local"
BUCKET = "media"


class Message(msgspec.Struct):
    """A message of the queue.

    sent: ms since 1970. received: the same, of the first time. receives: how often so far.
    """

    body: str
    id: str
    sent: int
    received: int = 0
    receives: int = 0


def message(body: str) -> Message:
    """Return a new message."""
    return Message(body, str(uuid.uuid4()), _now())


def queue_event(queue: str, messages: Sequence[Message]) -> dict[str, Any]:
    """Return messages, received once more, as the event of an SQS queue.

    queue: its name. Source: "Using Lambda with Amazon SQS" in the AWS Lambda Developer Guide.
    """
    for one in messages:
        one.receives += 1
        one.received = one.received or _now()
    return {"Records": [_record(queue, one) for one in messages]}


def schedule_event() -> dict[str, Any]:
    """Return the event of a schedule.

    Source: "Invoke a Lambda function on a schedule" in the AWS Lambda Developer Guide.
    """
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT_ID,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "region": REGION,
        "resources": [f"arn:aws:events:{REGION}:{ACCOUNT_ID}:rule/sweep"],
        "detail": {},
    }


def bucket_event(key: str, version: Version | None, noticed: int) -> str:
    """Return the JSON that S3 puts into a queue for a stored object, or for a removed one (version None).

    noticed: ns since 1970. The entity tag changes with the object; it is no digest of its content.
    Source: "Event message structure" in the Amazon S3 User Guide.
    """
    stored = {"key": quote_plus(key, safe="/"), "sequencer": f"{noticed:016X}"}
    record = {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventTime": datetime.fromtimestamp(noticed / 1e9, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "eventName": "ObjectRemoved:Delete" if version is None else "ObjectCreated:Put",
        "userIdentity": {"principalId": ACCOUNT_ID},
        "requestParameters": {"sourceIPAddress": "127.0.0.1"},
        "responseElements": {"x-amz-request-id": uuid.uuid4().hex, "x-amz-id-2": BUCKET},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": BUCKET,
            "bucket": {
                "name": BUCKET,
                "ownerIdentity": {"principalId": ACCOUNT_ID},
                "arn": f"arn:aws:s3:::{BUCKET}",
            },
            "object": stored | ({} if version is None else _content(version)),
        },
    }
    return msgspec.json.encode({"Records": [record]}).decode()


def _content(version: Version) -> dict[str, Any]:
    return {"size": version.size, "eTag": _md5(version.stamp)}


def _record(queue: str, one: Message) -> dict[str, Any]:
    return {
        "messageId": one.id,
        "receiptHandle": f"{one.id}#{one.receives}",
        "body": one.body,
        "attributes": {
            "ApproximateReceiveCount": str(one.receives),
            "SentTimestamp": str(one.sent),
            "SenderId": ACCOUNT_ID,
            "ApproximateFirstReceiveTimestamp": str(one.received),
        },
        "messageAttributes": {},
        "md5OfBody": _md5(one.body),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{queue}",
        "awsRegion": REGION,
    }


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(errors="replace"), usedforsecurity=False).hexdigest()


def _now() -> int:
    return int(time.time() * 1000)
